"""The forms of a report: message, mail, workbook, slides. All show the values of the same tables in the same text."""
