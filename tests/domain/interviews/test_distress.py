"""Words of distress: what ends an interview, what a researcher is asked to read, and what is about the work."""

from __future__ import annotations

from study_app.domain.interviews.distress import may_show_distress, shows_distress

EVERYDAY = [
    "At first I thought I can't go on to the next task until all the checks pass.",
    "We cannot go on, because the nursery waits.",
    "Man kann nicht mehr zurück zur vorherigen Aufgabe, das fand ich schade.",
    "Ich kann nicht mehr sagen, welche Fehlermeldung es war.",
    "No puedo más que recomendar el asistente, me ayudó mucho.",
    "Le chat m'a dit de tuer la tâche, je ne peux plus continuer sans await.",
    "Je n'en peux plus de ces erreurs d'indentation.",
]
HARD = [
    "It was too much. I can't go on.",
    "I cannot go on like this",
    "I feel like I want to kill my self",
    "Es war schlimm, und ich kann nicht mehr!",
    "Lo intenté, pero no puedo más.",
    "Rien ne marche, je n\u2019en peux plus.",
    "Je ne peux plus continuer",
]


def test_words_of_distress_within_a_sentence_about_the_work_end_nothing():
    assert [words for words in EVERYDAY if shows_distress(words)] == []
    assert [words for words in HARD if not shows_distress(words)] == []


POSSIBLE = [
    "Since the divorce I feel that I can't go on.",
    "My week was so bad that I cannot go on anymore and nothing helps.",
    "Most evenings I just can\u2019t cope.",
    "Ehrlich gesagt kann ich nicht mehr, auch nicht zu Hause.",
    "Es ist alles so viel, dass ich einfach nicht mehr kann.",
    "Siento que ya no puedo más.",
    "Con el trabajo y los niños no puedo más con todo esto.",
    "En ce moment je n'en peux plus de tout ça.",
    "Je crois que je ne peux plus continuer.",
]


def test_such_words_at_the_end_of_a_sentence_that_says_more_are_for_a_researcher_to_read_and_end_nothing():
    assert [words for words in POSSIBLE if not may_show_distress(words)] == []
    assert [words for words in POSSIBLE if shows_distress(words)] == []
    # Everyday sentences about the work are neither.
    assert [words for words in EVERYDAY if may_show_distress(words)] == []


OF_THE_WORK = [
    "When the test fails I can't go on.",
    "Without the hint I can't go on and I ask the assistant.",
    "If it is a NameError I can't go on, so I read the docs.",
    "I was stuck at a point where I cannot go on",
    "Ohne Hilfe kann ich nicht mehr.",
    "Sans l'assistant je n'y arrive plus du tout.",
    "Wenn der Test fehlschlägt, weiß ich, dass ich nicht mehr kann.",
    "When it fails I can't go on and then I ask the assistant",
    "Without the test I can't go on",
    "When the test fails, I can't go on.",
    "Honestly, until the checks pass I can't go on",
    "I feel I can't go on, unless the assistant helps me.",
    "When I can't go on, I ask the assistant.",
    "If I can't go on I read the docs.",
    "Whenever there is a TypeError I just can't cope.",
    "Once the loop is wrong, I really can't go on",
    "There was a task where I just can't go on.",
    "While the code does not run, I can't do this anymore.",
    "Without an example I cannot do this anymore, so I look at the docs",
    "If the output is not what the brief says, I can't go on.",
    "Every time the editor marks a syntax error I simply can't go on",
    "Wenn der Test rot ist, kann ich nicht mehr.",
    "Ohne den Assistenten kann ich einfach nicht mehr.",
    "Sobald eine Fehlermeldung kommt, kann ich nicht mehr",
    "Falls die Aufgabe zu schwer ist kann ich nicht mehr.",
    "Ich merke, dass ich nicht mehr kann, wenn der Test fehlschlägt.",
    "Wenn ich nicht mehr kann, frage ich den Assistenten.",
    "Ich kann nicht mehr, wenn die Schleife nicht läuft.",
    "Bis der Hinweis kommt, kann ich nicht mehr.",
    "Solange der Code nicht läuft, kann ich nicht mehr",
    "Es gab eine Aufgabe, bei der ich nicht mehr kann.",
    "Ohne Beispiel kann ich wirklich nicht mehr",
    "Wenn ein ValueError kommt kann ich nicht mehr und lese die Doku",
    "Sin el asistente no puedo más.",
    "Si la prueba falla no puedo más.",
    "Si la prueba falla, no puedo más.",
    "Cuando sale un NameError no puedo más.",
    "Hasta que pasan las pruebas no puedo más",
    "Mientras el código no funciona, ya no puedo más.",
    "Sin ayuda no puedo más.",
    "Cuando no puedo más, pregunto al asistente.",
    "En cuanto el programa falla siento que no puedo más.",
    "Llegué a una tarea donde no puedo más.",
    "Sin un ejemplo no puedo más hoy",
    "No puedo más, si la tarea no tiene pistas.",
    "Si el bucle no termina creo que no puedo más",
    "Quand le test échoue je n'en peux plus.",
    "Si l'erreur revient, je n'en peux plus.",
    "S'il y a une erreur je ne peux plus continuer.",
    "Sans indice je ne peux plus continuer.",
    "Sans aide je n'y arrive plus du tout",
    "Jusqu'à ce que les tests passent, je ne peux plus continuer.",
    "Tant que le code ne marche pas je ne peux plus continuer.",
    "Quand je n'en peux plus, je demande à l'assistant.",
    "Lorsqu'une erreur apparaît je n'en peux plus",
    "Je ne peux plus continuer, si l'exercice n'a pas d'exemple.",
    "C'est une tâche où je n'en peux plus.",
    "Dès que la syntaxe est fausse, je n'en peux plus",
    "Sans la consigne je crois que je ne peux plus continuer",
]
OF_A_LIFE = [
    "Since then I feel I can't go on.",
    "since then I feel I can't go on",
    "When I think of my mother I can't go on.",
    "Without her I feel I can't go on.",
    "If she leaves I can't go on.",
    "Without the help of my wife I can't go on.",
    "When I come home from work I can't go on.",
    "If no one helps me I can't go on.",
    "I am at a point where I can't go on.",
    "The test failed and I think I can't go on.",
    "When the test failed I laughed, but since the divorce I can't go on.",
    "When I'm alone with the code I can't go on",
    "Most nights, when the task is over, I can't cope.",
    "I just feel like I can't go on with any of it",
    "I don't know if I can't go on.",
    "I cannot cope with this",
    "When I can't go on, I lie down.",
    "The assistant was fine. These days I feel I can't go on.",
    "Wenn ich an meine Frau denke, kann ich nicht mehr.",
    "Ohne sie kann ich nicht mehr.",
    "Ohne Hilfe von außen kann ich nicht mehr.",
    "Ehrlich gesagt kann ich nicht mehr, auch nicht zu Hause.",
    "Der Test war leicht, aber seitdem kann ich nicht mehr.",
    "Wenn ich abends nach Hause komme, kann ich nicht mehr",
    "Wenn ich nicht mehr kann, weine ich.",
    "Seit der Trennung kann ich nicht mehr",
    "Ich glaube, dass ich nicht mehr kann, wenn mein Mann geht.",
    "Bis gestern ging es, heute kann ich nicht mehr",
    "Wenn der Test rot war, habe ich gelacht, aber zur Zeit kann ich nicht mehr.",
    "Die Aufgabe war gut und trotzdem denke ich, dass ich nicht mehr kann.",
    "Sin ti siento que no puedo más.",
    "Si mi madre muere siento que no puedo más.",
    "Cuando llego a casa siento que no puedo más.",
    "Desde entonces siento que no puedo más.",
    "La prueba falló y siento que no puedo más.",
    "Cuando falla la prueba me río, pero de noche siento que no puedo más",
    "Hasta ayer bien, hoy siento que no puedo más",
    "Sin la ayuda de mi familia siento que no puedo más",
    "Siento que no puedo más, si mi pareja se va.",
    "El asistente es bueno. Pero en casa siento que no puedo más.",
    "Cuando siento que no puedo más, lloro.",
    "Con todo lo que pasa ya no puedo con todo",
    "Sans toi je sens que je n'en peux plus.",
    "Quand je rentre à la maison je n'en peux plus.",
    "Depuis, je sens que je n'en peux plus.",
    "Si ma mère meurt je sens que je ne peux plus continuer.",
    "Le test a échoué et je sens que je n'en peux plus.",
    "Quand le test échoue je ris, mais je sens que je n'en peux plus.",
    "Sans l'aide de mes amis je n'y arrive plus du tout.",
    "Jusqu'à hier ça allait, aujourd'hui je sens que je n'en peux plus",
    "Quand je n'en peux plus de tout ça, je pleure.",
    "Je sens que je n'en peux plus, si mon mari part.",
    "L'assistant va bien. Le soir je sens que je n'en peux plus.",
    "En ce moment je n'en peux plus de tout ça.",
]


def test_such_words_with_a_condition_of_the_work_are_neither():
    assert [words for words in OF_THE_WORK if shows_distress(words) or may_show_distress(words)] == []


def test_such_words_with_any_other_condition_or_none_are_read():
    assert [words for words in OF_A_LIFE if not may_show_distress(words)] == []


def test_a_condition_counts_in_its_own_sentence_and_not_for_plain_words_of_distress():
    for words in ("When she left, I can't go on.", "The test failed. I can't go on", "If the test fails I want to die"):
        assert shows_distress(words)
    far = "When the test failed I asked the assistant and it helped me a lot and honestly I feel I can't go on"
    assert may_show_distress(far)
