"""Everything that changes jobs; doors and other apps take what they need from here."""

from momo.jobs.services.changes import cancel_job, retry_job, undo_job
from momo.jobs.services.create import create_job
from momo.jobs.services.drive import import_from_drive, sync_drive
from momo.jobs.services.reading import Preview, preview
from momo.jobs.services.run import run_job
from momo.jobs.services.watch import close_stale_jobs, send_waiting_jobs

__all__ = [
    "Preview",
    "cancel_job",
    "close_stale_jobs",
    "create_job",
    "import_from_drive",
    "preview",
    "retry_job",
    "run_job",
    "send_waiting_jobs",
    "sync_drive",
    "undo_job",
]
