"""The migrations of the reader's own table: each does what their step of its number says."""

from django.db import migrations

from flights.variants import BY_NAME

NAMES = ("0001_delays", *(f"{number:04}_step" for number in range(2, 7)))


class Migration(migrations.Migration):
    """The step of the number in its name; nothing if the reader has written fewer.

    Django looks for files: there are five, whatever the reader has written.
    """

    def __init__(self, name: str, app_label: str) -> None:
        super().__init__(name, app_label)
        place = NAMES.index(name)
        made: dict[str, object] = {"dependencies": [(app_label, NAMES[place - 1])]}
        for step in BY_NAME[app_label].steps[place - 1 : place]:
            made |= {"atomic": step.atomic, "operations": [*step.operations]}
        vars(self).update(made)  # attributes of a class elsewhere
