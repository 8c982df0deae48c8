"""Words of distress in the four shipped languages, and the words around them that say what they are about.

Phrases are in the form that `words_of` gives; patterns are of one word each, or of a few.
"""

from __future__ import annotations

from study_app.domain.interviews.wording import Phrases

DISTRESS: Phrases = {
    "en": (
        "kill myself", "kill my self", "killing myself", "killing my self", "suicide", "suicidal", "end my life",
        "ending my life", "take my own life", "want to die", "wanted to die", "wish i was dead", "wish i were dead",
        "better off dead", "hurt myself", "hurting myself", "harm myself", "harming myself", "self harm",
        "cut myself on purpose", "no reason to live", "dont want to live", "do not want to live",
        "dont want to be alive", "feel hopeless", "feeling hopeless", "panic attack", "cant stop crying",
        "cannot stop crying", "having a breakdown", "nervous breakdown", "cant go on like this",
        "cannot go on like this", "cant go on living", "cannot go on living", "cant take it anymore",
        "cannot take it any more", "cant take it any more",
    ),
    "de": (
        "mich umbringen", "mich umzubringen", "selbstmord", "suizid", "suizidal", "mir das leben nehmen",
        "meinem leben ein ende", "will sterben", "mochte sterben", "wollte sterben", "lieber tot", "ware gern tot",
        "nicht mehr leben", "mir etwas antun", "mich selbst verletzen", "mich verletzen", "mich ritzen",
        "keinen grund zu leben", "fuhle mich hoffnungslos", "panikattacke", "nicht aufhoren zu weinen",
        "nervenzusammenbruch", "kann so nicht mehr weiter", "kann nicht mehr weiterleben", "halte es nicht mehr aus",
    ),
    "es": (
        "matarme", "suicidarme", "suicidio", "suicida", "quitarme la vida", "acabar con mi vida", "quiero morir",
        "quiero morirme", "queria morir", "mejor muerto", "mejor muerta", "hacerme dano", "autolesion",
        "autolesionarme", "no quiero vivir", "sin razon para vivir", "me siento sin esperanza", "ataque de panico",
        "no puedo dejar de llorar", "crisis nerviosa", "no puedo mas con mi vida", "no puedo seguir viviendo",
        "no aguanto mas",
    ),
    "fr": (
        "me tuer", "suicide", "suicidaire", "me suicider", "mettre fin a mes jours", "mettre fin a ma vie",
        "envie de mourir", "je veux mourir", "voulais mourir", "me faire du mal", "me blesser volontairement",
        "automutilation", "plus envie de vivre", "aucune raison de vivre", "sans espoir", "crise de panique",
        "attaque de panique", "peux pas marreter de pleurer", "crise de nerfs", "je nen peux plus de vivre",
        "je ne peux plus continuer a vivre", "je ne peux plus continuer comme ca",
    ),
}  # fmt: skip
"""Words of distress; each language's are looked for in every answer, whatever its language."""
DISTRESS_CLAUSES: Phrases = {
    "en": ("i cant go on", "i cannot go on", "i can not go on", "i cant go on anymore", "i cant go on any more"),
    "de": ("ich kann nicht mehr", "kann nicht mehr", "ich kann einfach nicht mehr", "ich kann wirklich nicht mehr"),
    "es": ("no puedo mas", "ya no puedo mas", "yo no puedo mas"),
    "fr": ("je nen peux plus", "jen peux plus", "je ne peux plus continuer"),
}
"""Words of distress where they are a clause to themselves; within a sentence they are everyday words about the work."""
POSSIBLE_DISTRESS: Phrases = {
    "en": (
        "i cant go on", "i cannot go on", "i can not go on", "i just cant go on", "i just cannot go on",
        "i really cant go on", "i really cannot go on", "i simply cant go on", "i cant cope", "i cannot cope",
        "i just cant cope", "i cant cope with this", "i cannot cope with this", "i cant do this anymore",
        "i cant do this any more", "i cannot do this anymore",
    ),
    "de": (
        "ich kann nicht mehr", "kann ich nicht mehr", "ich nicht mehr kann", "ich kann einfach nicht mehr",
        "kann ich einfach nicht mehr", "ich einfach nicht mehr kann", "ich kann wirklich nicht mehr",
        "kann ich wirklich nicht mehr", "ich wirklich nicht mehr kann",
    ),
    "es": ("no puedo mas", "no puedo mas con todo", "ya no puedo con todo"),
    "fr": ("je nen peux plus", "jen peux plus", "je ne peux plus continuer", "je ny arrive plus du tout"),
}  # fmt: skip
"""Words that may be of distress where they end a clause that says more: a researcher is asked to read the answer."""
AFTER_DISTRESS: Phrases = {
    "en": (
        "anymore", "any more", "any longer", "at all", "today", "right now", "like that", "with any of it",
        "with any of this", "with all this", "with all of this", "with it all",
    ),
    "de": ("heute", "im moment", "zur zeit", "seitdem"),
    "es": ("hoy", "con esto", "con todo esto", "ya", "de verdad"),
    "fr": ("aujourdhui", "du tout", "de tout ca", "comme ca", "en ce moment", "la"),
}  # fmt: skip
"""Words behind such words with which the clause still ends in them."""
CONDITIONS: Phrases = {
    "en": ("if", "when", "whenever", "unless", "without", "until", "till", "once", "while", "as long as", "every time"),
    "de": ("wenn", "falls", "sofern", "ohne", "bis", "sobald", "solange"),
    "es": ("si", "sin", "cuando", "hasta", "mientras", "en cuanto", "siempre que"),
    "fr": (
        "si", "sil", "sils", "sans", "quand", "lorsque", "lorsquil", "lorsquils", "lorsquun", "lorsquune", "jusqua",
        "jusquau", "jusquaux", "tant que", "tant quil", "tant quils", "des que", "des quil", "a moins",
    ),
}  # fmt: skip
"""Words that begin a condition."""
PLACES: Phrases = {
    "en": ("where", "at which"),
    "de": ("wo", "an der", "an dem", "bei der", "bei dem"),
    "es": ("donde", "en que", "en el que", "en la que"),
    "fr": ("ou",),
}
"""Words that begin a condition of what stands before them: "a task where I can't go on"."""
WORK: Phrases = {
    "en": (
        "tests?", "checks?", "hints?", r"\w*errors?", r"\w*exceptions?", "bugs?", "traceback", "assistants?", "ai",
        "chat", "chatbot", "bot", "tools?", "tasks?", "exercises?", "code", "programs?", "programmes?", "functions?",
        "loops?", "variables?", "docs?", "documentation", "examples?", "instructions", "brief", "editor", "compiler",
        "syntax", "input", "output", "it (?:still )?(?:fails|failed|crashes|crashed)", "stuck (?:at|on)",
        "without (?:any |the |its |more )?help",
    ),
    "de": (
        r"test(?:s|es|e|en|fall|falle)?", "checks?", r"hinweis(?:e|en|es)?", "tipps?", r"fehler\w*", r"\w*error",
        r"\w*exception", "bugs?", "assistent(?:en|in)?", "ki", "chat", "chatbot", "bot", "tools?", r"aufgaben?",
        r"ubung(?:en)?", "code", "codes", r"programme?s?", r"funktion(?:en)?", "schleifen?", "variablen?", r"doku\w*",
        "beispiel(?:e|en|s)?", "anleitung", "editor", "compiler", "syntax", "eingabe", "ausgabe",
        "ohne (?:die |seine |ihre |deren |jede )?hilfe",
    ),
    "es": (
        "pruebas?", "tests?", "pistas?", r"\w*error(?:es)?", r"\w*exception", "excepcion(?:es)?", "bugs?", "asistente",
        "ia", "chat", "herramientas?", "tareas?", "ejercicios?", "codigo", "programas?", "funcion(?:es)?", "bucles?",
        "variables?", "documentacion", "ejemplos?", "instrucciones", "enunciado", "editor", "compilador", "sintaxis",
        "sin (?:la |su |ninguna |mas )?ayuda",
    ),
    "fr": (
        "tests?", "verifications?", "indices?", r"\w*erreurs?", r"\w*error", r"\w*exceptions?", "bugs?", "assistante?",
        "ia", "chatbot", "outils?", "taches?", "exercices?", "code", "programmes?", "fonctions?", "boucles?",
        "variables?", "documentation", "exemples?", "consignes?", "enonce", "editeur", "compilateur", "syntaxe",
        "sans (?:aide|laide|son aide|aucune aide|plus daide)",
    ),
}  # fmt: skip
"""Patterns of words by which a condition is one of the work."""
LIFE: Phrases = {
    "en": (
        "life", "live", "living", "home", "family", "mothers?", "fathers?", "mom", "mum", "dad", "parents?", "wife",
        "husband", "partner", "marriage", "divorce", "friends?", "boyfriend", "girlfriend", "kids?", "child",
        "children", "sons?", "daughters?", "baby", "brothers?", "sisters?", "doctors?", r"therap\w+", "medication",
        "pills", "professional", "alone", "lonely", "sleepless", "nights?", "died?", "dying", "dead", "death",
        "anxiety", r"depress\w+",
    ),
    "de": (
        "leben", "lebens", "zuhause", "zu hause", "daheim", "familie", "mutter", "vater", "vaters", "mama", "papa",
        "eltern", "frau", "mann", "ehe", "partner(?:in)?", "scheidung", "trennung", "freund(?:e|en|in|innen)?",
        "kind(?:er|ern|es)?", "sohn", "tochter", "baby", "bruder", "schwester", "arzt", "arztin", r"therap\w+",
        "medikamente", "tabletten", r"professionell\w*", "aussen", "allein", "alleine", "einsam", "nachts?", "sterben",
        "gestorben", "tot", "tod", "angst", r"depress\w+",
    ),
    "es": (
        "vida", "vivir", "casa", "familia", "madre", "padres?", "mama", "papa", "mujer", "marido", "espos[oa]",
        "pareja", "novi[oa]", "amig[oa]s?", "hij[oa]s?", "nin[oa]s?", "herman[oa]s?", "bebe", "divorcio", r"medic\w+",
        r"terap\w+", "pastillas", "profesional", r"psic\w+", "soledad", "noches?", r"muert\w+", "murio", "morir",
        "ansiedad", r"depr\w+",
    ),
    "fr": (
        "vie", "vivre", "maison", "famille", "mere", "pere", "maman", "papa", "parents?", "femme", "mari",
        "epou(?:se|x)", "copine", "copain", r"compagn\w+", "couple", "divorce", "ami(?:e|s|es)?", "enfants?", "fils",
        "filles?", "frere", "soeur", "bebe", "medecin", r"therap\w+", r"psy\w*", "medicaments?", r"professionnel\w*",
        "nuits?", r"mort\w*", "mourir", r"angoiss\w*", r"depress\w*",
    ),
}  # fmt: skip
"""Patterns of words with which a sentence is about a life, whatever else it names."""
ANEW = frozenset(
    ("but", "however", "since", "aber", "trotzdem", "seit", "seitdem", "pero", "desde", "mais", "depuis", "pourtant")
)
"""Words behind which an earlier condition of a sentence no longer counts."""
