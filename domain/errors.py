"""The domain's exceptions. A refusal that a caller must handle is a value, not one of these."""


class DomainError(Exception):
    """Root of everything that the domain raises."""


class InvalidMoneyError(DomainError, ValueError):
    """An amount that its currency cannot represent, or arithmetic across currencies."""


class UnavailableError(DomainError):
    """Something we depend on did not answer; the same call may succeed later."""


class ConflictError(DomainError):
    """Two units of work met in a way that only one could finish; the other may be tried again as a whole."""


class KeyDestroyedError(DomainError):
    """A person's data key is gone: the person was erased, or never was."""


class NotPermittedError(DomainError):
    """An actor came as far as an action that is not theirs: the door should have kept them out."""
