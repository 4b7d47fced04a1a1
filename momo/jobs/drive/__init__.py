"""Client of Google Drive v3 with a service account: lists the files of one folder, and downloads them.

Described at https://developers.google.com/workspace/drive/api/reference/rest/v3. Every request has a time limit and
goes to the host of GOOGLE_DRIVE_URL (for tokens: to the key's own `token_uri`) and nowhere else, redirects included.
Every failure is a ServiceError with a Chinese text for users; neither the key nor a token is ever part of a message or
of the log.
"""

from momo.jobs.drive.client import DriveClient
from momo.jobs.drive.errors import DriveError
from momo.jobs.drive.files import DriveFile, DrivePage

__all__ = ["DriveClient", "DriveError", "DriveFile", "DrivePage"]
