"""Paths below /api/ of imports."""

from django.urls import path

from momo.jobs.api import views

urlpatterns = [
    path("import/drive/files", views.DriveFilesView.as_view(), name="import-drive-files"),
    path("import/drive/import", views.DriveImportView.as_view(), name="import-drive"),
    path("import/upload", views.UploadView.as_view(), name="import-upload"),
    path("import/jobs", views.JobListView.as_view(), name="import-jobs"),
    path("import/jobs/<int:job_id>", views.JobView.as_view(), name="import-job"),
    path("import/jobs/<int:job_id>/errors", views.JobErrorsView.as_view(), name="import-job-errors"),
    path("import/jobs/<int:job_id>/undo", views.UndoView.as_view(), name="import-job-undo"),
    path("import/jobs/<int:job_id>/cancel", views.CancelView.as_view(), name="import-job-cancel"),
    path("import/jobs/<int:job_id>/retry", views.RetryView.as_view(), name="import-job-retry"),
]
