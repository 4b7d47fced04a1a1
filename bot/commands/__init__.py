"""The commands. Importing this package registers them all."""

from bot.commands import copywriting, crawls, figures, imports, prices, start, stockouts

__all__ = ["copywriting", "crawls", "figures", "imports", "prices", "start", "stockouts"]
