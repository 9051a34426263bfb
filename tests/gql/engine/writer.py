"""Writes documents at random, valid or nearly so, for any schema."""

import random
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)


@dataclass
class Writer:
    """One document in the making."""

    schema: GraphQLSchema
    dice: random.Random
    amiss: int
    """Handed on to each field that takes it."""
    deepest: int = 4
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    fragments: dict[str, str] = field(default_factory=dict)
    aliases: int = 0

    def document(self, operation: str = "query") -> tuple[str, dict[str, Any]]:
        """A document and the variables that it is to be run with."""
        root = {"query": self.schema.query_type, "mutation": self.schema.mutation_type}[operation]
        if root is None:
            raise LookupError(operation)
        body = self._selection(root, self.deepest)
        declared = ", ".join(f"${name}: {type_}" for name, (type_, _) in self.variables.items())
        head = f"{operation} Q({declared})" if declared else operation
        text = "\n".join([f"{head} {body}", *self.fragments.values()])
        return text, {name: value for name, (_, value) in self.variables.items() if self.dice.random() < 0.95}

    def _selection(self, type_: Any, depth: int) -> str:
        parts = [self._part(type_, depth) for _ in range(self.dice.randint(1, 4))]
        return "{ " + " ".join(parts) + " }"

    def _part(self, type_: Any, depth: int) -> str:
        chance = self.dice.random()
        if chance < 0.08:
            return "__typename" + self._directive()
        if chance < 0.2 and depth > 0:
            on = self._condition(type_)
            return f"... on {on}{self._directive()} {self._selection(self.schema.type_map[on], depth - 1)}"
        if chance < 0.27 and depth > 0:
            name, on = f"F{len(self.fragments)}", self._condition(type_)
            self.fragments[name] = ""
            inner = self._selection(self.schema.type_map[on], depth - 1)
            self.fragments[name] = f"fragment {name} on {on} {inner}"
            return f"...{name}{self._directive()}"
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            return "__typename"
        return self._field(type_, depth)

    def _field(self, type_: GraphQLObjectType | GraphQLInterfaceType, depth: int) -> str:
        leaves = [name for name, each in type_.fields.items() if is_leaf_type(get_named_type(each.type))]
        name = self.dice.choice(list(type_.fields) if depth > 0 or not leaves else leaves)
        declared = type_.fields[name]
        alias = self._alias() if declared.args or self.dice.random() < 0.1 else ""
        inner = get_named_type(declared.type)
        below = "" if is_leaf_type(inner) else " " + self._selection(inner, depth - 1)
        return f"{alias}{name}{self._arguments(declared)}{self._directive()}{below}"

    def _alias(self) -> str:
        """A name of its own: the same field asked for with other arguments must not have the same name."""
        self.aliases += 1
        return f"a{self.aliases}: "

    def _condition(self, type_: Any) -> str:
        if is_abstract_type(type_):
            return str(self.dice.choice([*self.schema.get_possible_types(type_), type_]))
        return str(self.dice.choice([type_, *type_.interfaces]))

    def _directive(self) -> str:
        if self.dice.random() > 0.1:
            return ""
        asked = self.dice.choice(("true", "false", "")) or self._variable("Boolean!", self.dice.random() < 0.5)
        return f" @{self.dice.choice(('skip', 'include'))}(if: {asked})"

    def _variable(self, type_: str, value: Any) -> str:
        name = f"v{len(self.variables)}"
        self.variables[name] = (type_, value)
        return f"${name}"

    def _arguments(self, declared: GraphQLField) -> str:
        given = []
        for name, argument in declared.args.items():
            if name == "amiss":
                given.append(f"amiss: {self.amiss}")
            elif is_non_null_type(argument.type) or self.dice.random() < 0.4:
                text, value = self._value(argument.type)
                plain = self.dice.random() < 0.7
                given.append(f"{name}: {text if plain else self._variable(str(argument.type), value)}")
        return f"({', '.join(given)})" if given else ""

    def _value(self, type_: Any) -> tuple[str, Any]:
        """A value as text of the document, and as a variable would have it."""
        if is_non_null_type(type_):
            return self._value(type_.of_type)
        if is_list_type(type_):
            text, value = self._value(type_.of_type)
            return f"[{text}]", [value]
        if isinstance(type_, GraphQLEnumType):
            name = self.dice.choice(list(type_.values))
            return name, name
        if isinstance(type_, GraphQLInputObjectType):
            chosen = [name for name in type_.fields if self.dice.random() < 0.5]
            pairs = {name: self._value(type_.fields[name].type) for name in chosen}
            text = ", ".join(f"{name}: {pair[0]}" for name, pair in pairs.items())
            return f"{{{text}}}", {name: pair[1] for name, pair in pairs.items()}
        number, word = self.dice.randint(0, 6), self.dice.choice(("s", "t", "!u", "vw"))
        plain: dict[str, tuple[str, Any]] = {"Int": (str(number), number), "Boolean": ("true", True)}
        return plain.get(type_.name, (f'"{word}"', word))
