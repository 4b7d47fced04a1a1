"""Bounds of templates, of their values and of rendering. The model bounds a body and a subject as written."""

EXPRESSION_LENGTH = 500  # characters between {{ and }}, or {% and %}
BLOCK_DEPTH = 20  # blocks within blocks
LOOP_DEPTH = 3  # loops within loops
MARKUP_DEPTH = 50  # elements of HTML within elements
LOOP_STEPS = 5_000  # of all loops of one rendering together
RENDER_SECONDS = 1.0  # of processor time, so that a busy machine fails no template
BODY_BYTES = 64 * 1024  # UTF-8, rendered
SUBJECT_CHARACTERS = 500  # rendered; a longer subject ends with …

VARIABLES = 50
NAME_LENGTH = 40
TEXT_LENGTH = 10_000  # characters of one value
URL_LENGTH = 2_000
LIST_ITEMS = 2_000
VALUES_BYTES = 512 * 1024  # of all texts of one rendering together, UTF-8
NUMBER = 10**15  # every number lies between this and its negative
FAULTS = 20  # reported at once
