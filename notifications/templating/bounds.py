"""How much a template may say, take and do. A body's and a subject's own lengths are the model's."""

EXPRESSION_LENGTH = 500  # characters between {{ and }}, or {% and %}
BLOCK_DEPTH = 20  # blocks within blocks
LOOP_DEPTH = 3  # loops within loops
LOOP_STEPS = 5_000  # of all loops of one rendering together
RENDER_SECONDS = 1.0  # of the processor, so that a busy machine fails nobody
BODY_BYTES = 64 * 1024  # UTF-8, rendered
SUBJECT_CHARACTERS = 500  # rendered; what is longer ends with …

VARIABLES = 50
NAME_LENGTH = 40
TEXT_LENGTH = 10_000  # characters of one value
URL_LENGTH = 2_000
LIST_ITEMS = 2_000
VALUES_BYTES = 512 * 1024  # of all texts of one rendering together, UTF-8
NUMBER = 10**15  # whole numbers and others lie between this and its negative
FAULTS = 20  # told at once
