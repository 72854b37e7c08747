import typer

from gambeson.interfaces.cli.data_commands import data_app


def test_every_subject_has_added_its_commands():
    known = set(typer.main.get_command(data_app).commands)
    assert {"add", "import", "poison"} <= known
