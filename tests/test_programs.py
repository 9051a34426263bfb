"""Where a program must be there."""

import pytest

from tests.programs import must_be_there, stay_home


@pytest.mark.parametrize(
    ("environment", "user", "must"),
    [({"CI": "true"}, 0, True), ({"CI": "1"}, 0, True), ({"CI": "true"}, 1000, False), ({}, 0, False)],
)
def test_it_must_be_there_in_continuous_integration(environment: dict[str, str], user: int, *, must: bool) -> None:
    assert must_be_there(environment, user) is must


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_what_stays_at_home_says_why(ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(outcome, match="a thing is missing"):
        stay_home("a thing is missing")
