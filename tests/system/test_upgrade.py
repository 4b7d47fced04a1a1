"""Which changes of tables an older version bears, and what is said of the others before `migrate`."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ModelState, ProjectState

from momo.system.upgrade import breaking

CHAR = models.CharField(max_length=10)


def broken(*operations: Any, beside_older: str = "") -> list[str]:
    """Reasons why an older version, whose model Shop has a name, does not bear these."""
    state = ProjectState()
    state.add_model(ModelState("shop", "Shop", [("id", models.BigAutoField(primary_key=True)), ("name", CHAR)]))
    migration = type("Migration", (migrations.Migration,), {"operations": operations, "beside_older": beside_older})
    return [found.reason for found in breaking(migration("0002_more", "shop"), state)]


@pytest.mark.parametrize(
    "operation",
    [
        migrations.CreateModel("Town", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddField("shop", "note", models.TextField(null=True)),
        migrations.AddField("shop", "note", models.TextField(db_default="")),
        migrations.AddField("shop", "towns", models.ManyToManyField("shop.Shop")),
        migrations.AddIndex("shop", models.Index(fields=["name"], name="shop_name")),
        migrations.AlterField("shop", "name", models.CharField("店名", max_length=20, default="x", choices=["x"])),
        migrations.AlterField("shop", "name", models.CharField(max_length=10, null=True)),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_an_older_version_bears(operation: Any) -> None:
    assert broken(operation) == []


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (migrations.AddField("shop", "note", models.TextField(default="")), "必填欄位"),
        (migrations.AlterField("shop", "name", models.CharField(max_length=5)), "型別"),
        (migrations.AlterField("shop", "name", models.IntegerField()), "型別"),
        (migrations.RemoveField("shop", "name"), "仍會讀寫"),
        (migrations.RenameField("shop", "name", "title"), "仍會讀寫"),
        (migrations.DeleteModel("Shop"), "資料表"),
        (migrations.AddConstraint("shop", models.UniqueConstraint(fields=["name"], name="one")), "限制"),
        (migrations.RunSQL("SELECT 1"), "beside_older"),
        (migrations.SeparateDatabaseAndState([migrations.RunSQL("SELECT 1")]), "beside_older"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.describe(),
)
def test_what_it_does_not_bear(operation: Any, said: str) -> None:
    (reason,) = broken(operation)
    assert said in reason
    assert broken(operation, beside_older="the table is new to everybody") == []


def test_a_table_that_no_older_version_knows_may_change_at_once() -> None:
    town = migrations.CreateModel("Town", [("id", models.BigAutoField(primary_key=True)), ("name", CHAR)])
    assert broken(town, migrations.AddField("town", "size", models.IntegerField(default=0))) == []


def test_every_migration_of_the_project_can_be_judged() -> None:
    loader = MigrationLoader(None)
    state = ProjectState()
    found = {}
    for key in loader.graph._generate_plan(loader.graph.leaf_nodes(), at_end=True):
        found[key] = list(breaking(loader.graph.nodes[key], state))
    assert found["products", "0001_initial"] == []
    assert found["sales", "0002_claim_of_every_day"]


def said() -> tuple[int, str]:
    """Exit status and text of the command."""
    out = StringIO()
    try:
        call_command("check_upgrade", stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.django_db
def test_the_command_names_what_waits() -> None:
    assert said() == (0, "0 個資料表變更待套用，舊版可以繼續執行。\n")
    recorder = MigrationRecorder.Migration.objects
    recorder.filter(app="sales").exclude(name__startswith="0001").delete()
    code, text = said()
    assert code == 1
    assert "  sales.0002_claim_of_every_day：" in text
    assert "請先停止舊版" in text
    recorder.all().delete()
    assert said()[0] == 0, "an empty database"
