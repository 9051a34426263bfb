"""Measures how fast an event reaches a thousand sockets, beside stock Strawberry and graphql-ws on Node."""
