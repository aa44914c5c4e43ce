"""docs/commands.md says what the commands say."""

from plateau_cause.commands import document


def test_the_page_is_up_to_date(root):
    page = (root / "docs/commands.md").read_text(encoding="utf-8")
    assert page == document.markdown(), "run: python -m plateau_cause.commands.document > docs/commands.md"


def test_every_option_is_on_it():
    page = document.markdown()
    for option in ("--workspace DIR", "--format", "--open", "--json"):
        assert option in page
