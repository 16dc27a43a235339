"""The fixture itself: a project folder that Meltano and the console take."""

from .conftest import Project, dumped


def test_the_folder_is_read_and_written_byte_for_byte(project: Project) -> None:
    """What the console edits keeps its comments and its form."""
    assert dumped(project.definition()) == project.text()
    assert "# Ticket property: Case field." in project.text()
