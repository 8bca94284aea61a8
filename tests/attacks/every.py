"""All attacks, family by family."""

from .carrying import ATTACKS as CARRYING
from .escaping import ATTACKS as ESCAPING
from .exhausting import ATTACKS as EXHAUSTING
from .forging import ATTACKS as FORGING
from .metadata import ATTACKS as METADATA
from .reading import ATTACKS as READING
from .surviving import ATTACKS as SURVIVING

ATTACKS = [*FORGING, *METADATA, *READING, *CARRYING, *ESCAPING, *EXHAUSTING, *SURVIVING]
