"""What admin pages of all apps share: bases, HTML of values, filters, dialogs, navigation, import and export."""
