"""Creates imports of stockout reports."""

from __future__ import annotations

from typing import Any, BinaryIO

from django.db import transaction

from accounts.models import User
from momo.jobs.models import Job
from momo.jobs.services import create_job
from vendors.models import StockoutBatch

JOB_TYPE = "vendor_stockout"


def create_import(*, file_name: str, content: BinaryIO, user: User | None, **choices: Any) -> StockoutBatch:
    """Create an uploaded report's job and its batch, which has no rows before the job has run.

    `choices` and errors are those of `create_job`.
    """
    with transaction.atomic():
        job = create_job(
            job_type=JOB_TYPE,
            source=Job.Source.UPLOAD,
            file_name=file_name,
            content=content,
            user=user,
            **choices,
        )
        return StockoutBatch.objects.create(job=job)
