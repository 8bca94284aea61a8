"""The students of the sample class. All of them are invented."""

from dataclasses import dataclass
from random import Random
from unicodedata import combining, normalize

_NAMES = """
    Amara Okafor; Bence Horváth; Chiara Lombardi; Daniel Abebe; Eszter Kovács; Farid Rahimi; Greta Lindqvist;
    Hamza Siddiqui; Ines Carvalho; Jakub Nowak; Kalinda Wijesinghe; Lucía Fernández; Mateo Quispe;
    Noor El-Amin; Olena Shevchuk; Priya Raman; Quang Nguyen; Rania Haddad; Søren Mikkelsen; Thandiwe Dlamini;
    Ulrich Brandt; Valentina Rojas; Wei Zhang; Ximena Salazar; Yuki Tanabe; Zoltan Balog; Aisha Bello;
    Bjarni Einarsson; Camille Dubois; Dmitri Volkov; Elif Yıldız; Femi Adeyemi; Gareth Pugh; Hana Novotná;
    Ibrahim Diallo; Joana Tavares; Kofi Mensah; Leilani Kahale; Marek Dvořák; Nadia Benali; Oskar Virtanen;
    Paloma Ortega; Rohan Mehta; Sofia Papadaki; Tomasz Zieliński; Urszula Wrona; Vikram Iyer; Aroha Ngata
"""

# Letters that Unicode does not take apart into a plain letter and an accent.
_PLAIN = str.maketrans({"ø": "o", "ı": "i", "ł": "l", "Ł": "L", "Ø": "O"})


@dataclass(frozen=True)
class Student:
    """One student of the sample class.

    Attributes:
        id: as in ``submitted/<id>/``: letters, digits and a dot.
        first_name: given name.
        last_name: family name.
        ability: in (0, 1), how much of a notebook the student tends to get right.
    """

    id: str
    first_name: str
    last_name: str
    ability: float


def students(number: int | None = None) -> list[Student]:
    """The first students of the class, or all of them.

    Args:
        number: how many; at least 1, and no more than there are.

    Raises:
        ValueError: when there are not so many.

    >>> [student.id for student in students(2)]
    ['amara.okafor', 'bence.horvath']
    """
    everybody = [_student(*name.strip().split(" ", 1)) for name in _NAMES.split(";")]
    if number is None:
        return everybody
    if not 1 <= number <= len(everybody):
        raise ValueError(f"the sample class has {len(everybody)} students: ask for 1 to {len(everybody)}, not {number}")
    return everybody[:number]


def _student(first: str, last: str) -> Student:
    name = f"{first}.{last}".lower()
    # A class as one meets it: most people manage most of it, a few nearly all, a few little.
    ability = Random(f"ability of {name}").betavariate(5.0, 1.6)
    return Student(_ascii(name), first, last, ability)


def _ascii(name: str) -> str:
    taken_apart = normalize("NFKD", name.translate(_PLAIN))
    return "".join(letter for letter in taken_apart if not combining(letter) and (letter.isalnum() or letter == "."))
