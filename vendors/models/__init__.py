"""Vendors, the stockouts of imported reports, mails to vendors, and what vendors answer."""

from vendors.models.answers import Submission, SubmittedLine
from vendors.models.mails import MailLine, VendorMail, VendorSending
from vendors.models.stockouts import AnswerKind, Stockout, StockoutBatch
from vendors.models.vendors import Vendor, VendorAddress

__all__ = [
    "AnswerKind",
    "MailLine",
    "Stockout",
    "StockoutBatch",
    "Submission",
    "SubmittedLine",
    "Vendor",
    "VendorAddress",
    "VendorMail",
    "VendorSending",
]
