"""Everything that changes jobs; pages, the API, tasks and other apps import it from here."""

from momo.jobs.services.aliases import learn_columns
from momo.jobs.services.changes import cancel_job, mark_seen, retry_job, undo_job
from momo.jobs.services.create import create_job
from momo.jobs.services.drive import import_from_drive, sync_drive
from momo.jobs.services.hold import confirm_job, hold_job
from momo.jobs.services.reading import Preview, preview
from momo.jobs.services.run import run_job
from momo.jobs.services.sweep import release_silent_jobs, sweep_jobs

__all__ = [
    "Preview",
    "cancel_job",
    "confirm_job",
    "create_job",
    "hold_job",
    "import_from_drive",
    "learn_columns",
    "mark_seen",
    "preview",
    "release_silent_jobs",
    "retry_job",
    "run_job",
    "sweep_jobs",
    "sync_drive",
    "undo_job",
]
