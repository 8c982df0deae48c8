"""Words by which rules on interviews go, for the four shipped languages; a plan brings its own for others.

Phrases are compared word by word, without case, accents and apostrophes, so that no pattern reads long texts slowly.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

Phrases = Mapping[str, Sequence[str]]
"""Language -> phrases, in the form that `words_of` gives."""

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = str.maketrans("", "", "'\u2019\u02bc`\u00b4")
SHIPPED = ("en", "de", "es", "fr")


def words_of(text: str) -> list[str]:
    """Return the words of a text without case, accents and apostrophes."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_APOSTROPHES).replace("ß", "ss"))
    return _WORD.findall("".join(char for char in plain if not unicodedata.combining(char)))


def word_count(text: str) -> int:
    """Return how many words a text has, by whitespace; of a script without spaces, its letters count by twos."""
    spaced = len(text.split())
    letters = sum("\u3040" <= char <= "\u9fff" for char in text)
    return max(spaced, letters // 2)


def phrase_in(phrases: Sequence[str], text: str) -> str | None:
    """Return the first phrase whose words stand in a text one after the other, or None."""
    line = f" {' '.join(words_of(text))} "
    return next((phrase for phrase in phrases if f" {phrase} " in line), None)


def holds(phrases: Phrases, text: str, language: str) -> bool:
    """Return whether a phrase of a language stands in a text; of a language without phrases, one of any language."""
    known = phrases.get(language) or [phrase for listed in phrases.values() for phrase in listed]
    return phrase_in(known, text) is not None


PRAISE: Phrases = {
    "en": (
        "great", "excellent", "wonderful", "fantastic", "amazing", "awesome", "brilliant", "impressive", "fascinating",
        "insightful", "thoughtful", "interesting", "superb", "perfect", "terrific", "lovely", "outstanding",
        "good point", "good answer", "good question", "good idea", "good insight", "well done", "well said", "good job",
        "nice", "i love", "i like that", "helpful", "valuable", "clever", "smart", "inspiring", "remarkable",
        "makes a lot of sense", "makes sense", "congratulations", "kudos", "bravo", "how cool", "so cool", "very cool",
        "good for you", "proud of", "useful insight",
    ),
    "de": (
        "grossartig", "toll", "super", "wunderbar", "fantastisch", "hervorragend", "ausgezeichnet", "brillant",
        "beeindruckend", "faszinierend", "spannend", "interessant", "sehr gut", "gut gemacht", "gute antwort",
        "guter punkt", "gute frage", "gute idee", "klasse", "prima", "perfekt", "hilfreich", "wertvoll", "klug",
        "einsichtig", "bemerkenswert", "stark", "schon gesagt", "das freut mich", "bravo", "gluckwunsch",
    ),
    "es": (
        "genial", "excelente", "maravilloso", "fantastico", "increible", "brillante", "impresionante", "fascinante",
        "interesante", "muy bien", "buena respuesta", "buen punto", "buena pregunta", "buena idea", "perfecto",
        "estupendo", "magnifico", "me encanta", "util", "valioso", "inteligente", "bien hecho", "bravo",
        "enhorabuena", "felicidades", "que bueno", "notable",
    ),
    "fr": (
        "super", "genial", "excellent", "excellente", "formidable", "fantastique", "incroyable", "brillant",
        "impressionnant", "fascinant", "interessant", "interessante", "passionnant", "tres bien", "bonne reponse",
        "bon point", "bonne question", "bonne idee", "parfait", "magnifique", "jadore", "utile", "precieux",
        "pertinent", "bien joue", "bravo", "felicitations", "remarquable", "merveilleux",
    ),
}  # fmt: skip
"""Judgements of an answer: refused in what stands before a question, and at its beginning."""
STRONG_PRAISE: Phrases = {
    "en": (
        "what a great", "what a wonderful", "what a fascinating", "what an interesting", "what an insightful",
        "such a great", "such an interesting", "really interesting", "very interesting", "so interesting",
        "your great", "your excellent", "your interesting", "your insightful", "your thoughtful", "your fascinating",
        "great answer", "great point", "interesting point", "interesting answer", "interesting perspective",
    ),
    "de": (
        "was fur eine tolle", "sehr interessant", "wirklich interessant", "so interessant", "deine tolle",
        "ihre tolle", "ihre interessante", "deine interessante", "ihre hervorragende", "tolle antwort",
        "interessante antwort", "interessanter punkt",
    ),
    "es": (
        "muy interesante", "realmente interesante", "tan interesante", "que interesante", "su excelente",
        "tu excelente", "su interesante", "tu interesante", "respuesta interesante", "excelente respuesta",
    ),
    "fr": (
        "tres interessant", "vraiment interessant", "si interessant", "votre excellente", "ton excellente",
        "votre interessante", "reponse interessante", "excellente reponse", "point interessant",
    ),
}  # fmt: skip
"""Judgements of an answer that are refused anywhere, in the question itself, too."""
LEADING: Phrases = {
    "en": (
        "dont you think", "dont you agree", "dont you feel", "wouldnt you say", "wouldnt you agree", "would you agree",
        "do you agree", "isnt it", "wasnt it", "arent they", "werent they", "isnt that", "didnt you find", "didnt it",
        "surely", "obviously", "you must have", "you must be", "clearly you", "i assume you", "i guess you",
    ),
    "de": (
        "findest du nicht", "finden sie nicht", "meinen sie nicht", "meinst du nicht", "stimmen sie zu",
        "stimmst du zu", "nicht wahr", "sicherlich", "offensichtlich", "sie mussen doch", "du musst doch",
        "ist es nicht so", "war es nicht so", "sind sie nicht auch",
    ),
    "es": (
        "no crees", "no cree", "no le parece", "no te parece", "esta de acuerdo", "estas de acuerdo", "verdad",
        "seguramente", "obviamente", "debio de", "no es cierto", "a que si",
    ),
    "fr": (
        "ne pensez vous pas", "ne penses tu pas", "ne trouvez vous pas", "ne trouves tu pas", "etes vous daccord",
        "es tu daccord", "nest ce pas", "surement", "evidemment",
    ),
}  # fmt: skip
"""Questions that say which answer is expected."""
TAGS: Phrases = {
    "en": ("right", "correct", "no", "yes"),
    "de": ("oder", "richtig", "ne"),
    "es": ("no",),
    "fr": ("non",),
}
"""Last words by which a statement becomes a question that expects yes."""
CONFUSED: Phrases = {
    "en": (
        "dont understand", "do not understand", "didnt understand", "what do you mean", "not sure what you mean",
        "what does that mean", "unclear", "confused", "confusing question", "what is that supposed to mean", "huh",
    ),
    "de": (
        "verstehe nicht", "verstehe die frage nicht", "verstehe ich nicht", "was meinen sie", "was meinst du",
        "was heisst das", "was bedeutet das", "unklar", "nicht verstanden", "hae", "versteh nicht",
    ),
    "es": (
        "no entiendo", "no comprendo", "que quiere decir", "que quieres decir", "que significa", "no esta claro",
        "no entendi", "confundido", "confundida",
    ),
    "fr": (
        "ne comprends pas", "comprends pas", "que voulez vous dire", "que veux tu dire", "ca veut dire quoi",
        "pas clair", "nai pas compris", "pas compris",
    ),
}  # fmt: skip
REFUSED: Phrases = {
    "en": (
        "no comment", "rather not say", "rather not answer", "prefer not to", "dont want to answer",
        "do not want to answer", "dont want to say", "none of your business", "i refuse", "wont answer",
        "dont want to talk", "no answer",
    ),
    "de": (
        "kein kommentar", "mochte nicht antworten", "will nicht antworten", "mochte ich nicht sagen",
        "will ich nicht sagen", "keine angabe", "keine antwort", "geht sie nichts an", "geht dich nichts an",
        "sage ich nicht", "mochte dazu nichts sagen",
    ),
    "es": (
        "sin comentarios", "prefiero no", "no quiero responder", "no quiero contestar", "no quiero decir",
        "no es asunto", "me niego", "no voy a responder",
    ),
    "fr": (
        "sans commentaire", "prefere ne pas", "ne veux pas repondre", "ne souhaite pas repondre", "ne veux pas dire",
        "ca ne vous regarde pas", "je refuse", "pas de reponse",
    ),
}  # fmt: skip
ARM_WORDS: Phrases = {
    "en": (
        "control group", "treatment group", "experimental group", "comparison group", "control condition",
        "your condition", "the other condition", "your arm", "the other arm", "study arm", "your group",
        "the other group", "other participants", "assigned to", "randomly assigned", "randomised", "randomized",
    ),
    "de": (
        "kontrollgruppe", "experimentalgruppe", "versuchsgruppe", "vergleichsgruppe", "ihre bedingung",
        "deine bedingung", "andere bedingung", "ihre gruppe", "deine gruppe", "andere gruppe", "andere teilnehmende",
        "anderen teilnehmenden", "zugeteilt", "zugewiesen", "zugelost", "randomisiert", "studienarm",
    ),
    "es": (
        "grupo de control", "grupo experimental", "grupo de tratamiento", "grupo de comparacion", "su grupo",
        "tu grupo", "otro grupo", "su condicion", "tu condicion", "otra condicion", "otros participantes", "asignado",
        "asignada", "aleatorizado", "aleatorizada", "brazo del estudio",
    ),
    "fr": (
        "groupe controle", "groupe temoin", "groupe experimental", "groupe de traitement", "votre groupe",
        "ton groupe", "autre groupe", "votre condition", "ta condition", "autre condition", "autres participants",
        "assigne", "assignee", "affecte au", "affectee au", "randomise", "randomisee", "bras de letude",
    ),
}  # fmt: skip
"""Words about who is in which arm, which no question of an interview holds unless the participant used them."""
COMMON: Phrases = {
    "en": (
        "the", "and", "you", "what", "how", "did", "that", "was", "were", "when", "which", "this", "your", "with",
        "have", "from", "about", "would", "could", "there", "it", "of", "to", "is", "for", "them", "they", "why",
        "tell", "can", "moment", "where", "do", "does", "then", "felt", "feel", "more", "an",
    ),
    "de": (
        "der", "die", "das", "und", "sie", "was", "wie", "haben", "hat", "war", "waren", "wann", "welche", "welcher",
        "ihre", "ihr", "mit", "von", "uber", "nicht", "ist", "zu", "den", "dem", "ein", "eine", "einen", "im", "dabei",
        "warum", "konnen", "ihnen", "wurde", "wurden", "sich", "auf", "dann", "fur", "bei", "du", "dir", "wo", "wenn",
    ),
    "es": (
        "el", "la", "los", "las", "y", "usted", "que", "como", "fue", "era", "cuando", "cual", "este", "esta", "su",
        "con", "de", "por", "para", "no", "es", "un", "una", "del", "al", "lo", "se", "le", "hizo", "puede", "donde",
        "algo", "mas", "en", "sobre", "habia", "sus", "tu", "te", "me",
    ),
    "fr": (
        "le", "les", "et", "vous", "que", "comment", "etait", "quand", "quel", "quelle", "ce", "cette", "votre",
        "avec", "de", "par", "pour", "pas", "est", "un", "une", "des", "du", "au", "dans", "avez", "pouvez", "ou",
        "plus", "sur", "quoi", "pourquoi", "quest", "ete", "fait", "vos", "il", "ils", "elle", "a", "je", "tu",
    ),
}  # fmt: skip
"""Frequent words, by which a text's language is found."""


def language_of(text: str, expected: str) -> str:
    """Return the language that a text is in, by its frequent words; `expected` where they do not clearly tell another.

    A language without a list is only distinguished from those that have one.
    """
    found = words_of(text)
    hits = {language: sum(word in common for word in found) for language, common in _COMMON_SETS.items()}
    best = max(SHIPPED, key=lambda language: (hits[language], language == expected))
    own = hits.get(expected)
    if own is None:
        return best if hits[best] >= 3 and 3 * hits[best] >= len(found) else expected
    return best if hits[best] >= own + 2 else expected


_COMMON_SETS = {language: frozenset(listed) for language, listed in COMMON.items()}
