"""A stand-in for Google Drive over real HTTP on loopback: a token endpoint, files.list, files.get, media and export.

It checks what Google checks (the assertion's signature, times, issuer and scope; the token; the query; the fields) and
knows nothing of our client. A test sets its files, and faults that strike so many requests of one operation.

    with Drive() as drive:
        drive.add("日報.xlsx", content)
        drive.fail("list", "429", times=2, retry_after=1)
        drive.use(settings, tmp_path)
"""

from tests.fakes.drive.state import EXPORT_LIMIT, FOLDER, SHEET, XLSX, Asked, Drive, Entry

__all__ = ["EXPORT_LIMIT", "FOLDER", "SHEET", "XLSX", "Asked", "Drive", "Entry"]
