"""Links under which vendors answer without an account: signed here, and valid until the mail's `link_expires_at`."""

from __future__ import annotations

from django.conf import settings
from django.core import signing

from momo.core.errors import NotFound
from momo.core.secret_paths import ANSWER
from vendors.models import VendorMail

SALT = "vendors.answer"
NO_MAIL = 0  # no mail has this id


def answer_url(mail: VendorMail) -> str:
    """The address of the page on which the vendor answers for the rows of `mail`."""
    return f"{settings.PUBLIC_URL}{ANSWER}{signing.dumps(mail.pk, salt=SALT, compress=False)}"


def mail_of_token(token: str) -> VendorMail:
    """The mail of a link, with its vendor, expired or not.

    Raises NotFound, after one query and in the same words, whether the signature is wrong or the mail is gone.
    """
    try:
        pk = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError):
        pk = NO_MAIL
    mail = VendorMail.objects.select_related("vendor__merged_into").filter(pk=pk).first()
    if mail is None:
        raise NotFound("連結不正確或不完整")
    return mail
