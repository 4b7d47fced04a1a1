"""What the periodic sweep does for imports: it takes them from silent workers, and enqueues those that wait."""

from __future__ import annotations

from momo.core.work import enqueue_waiting, release_silent
from momo.jobs.models import Job
from momo.jobs.services.run import end_unfinished


def release_silent_jobs() -> list[Job]:
    """Take running jobs from silent workers; nothing of these attempts counts. Returns the jobs that changed.

    A job that somebody cancelled ends as cancelled, one without attempts left as failed; the others wait again.
    """
    return release_silent(Job.objects.all(), end=end_unfinished)


def sweep_jobs() -> None:
    """Release the jobs of silent workers, then enqueue jobs whose task was never sent, or is lost."""
    release_silent_jobs()
    enqueue_waiting(Job.objects.all())
