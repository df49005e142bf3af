"""Words that say what a request is about, and how hard it is: a table for readers to argue with.

Chosen from what such requests have in common and weighed on the recorded outcomes of small models and on labelled prompts
(tests/core/test_task_figures.py says how well that works). English; of German, French, Spanish, Portuguese, Russian, Chinese and Japanese the
words that ask for something. Other languages are told by structure alone.
"""

from __future__ import annotations

KINDS_OF: dict[str, str] = {
    "code": (
        "algorithm api array assert async bash bug c++ class cli code codebase coding compile compiler component css csv database debug "
        "def dependency deploy django docker endpoint exception fetch function git golang html implement import java javascript json kotlin kubernetes "
        "lambda linux loop method middleware mutex node npm null numpy object orm pandas parse php postgres program programming "
        "pseudocode pull pytest python query react recursion recursive refactor regex repository ruby runtime rust schema script sdk "
        "snippet sql sqlite stacktrace struct swift syntax thread traceback typescript unittest unit variable vim webhook yaml "
        "arrays classes commit csharp dictionary folder functions javac jpeg lock-free migration mkdir mysql ocaml "
        "queries queue scripts terminal tests tuple typechecker varchar "
        "funktion programm skript datei fonction requête fichier función consulta archivo código função программа функцию функция скрипт запрос"
    ),
    "creative": (
        "ballad brainstorm brand caption character characters comic creative dialogue essay fairy fantasy fiction fictional funny haiku "
        "imagine jingle joke limerick lyrics lullaby metaphor monologue motto narrative novel plot poem poetic poetry protagonist rap "
        "rewrite rhyme rhyming scene screenplay sequel slogan song sonnet spooky story storytelling tagline tale toast verse villain "
        "whimsical witty "
        "birthday catchy chapter chorus creature detective folk hashtags invent names outline pentameter pirate playful puns taglines tales "
        "gedicht märchen kurzgeschichte reim poème conte comptine poesía poema cuento fábula conto стихотворение стихи рассказ сказку"
    ),
    "analysis": (
        "analyse analyze analysis argue argument assess assessment calculate causes coefficient compare comparison compute conclude "
        "conclusion consequences contrast correlation critique data dataset degree derivative derive determine diagnose distribution "
        "economic equation estimate evaluate evaluation evidence examine expression find findings following forecast formula graph hypothesis implications "
        "infer inference integer integral interpret investigate kg matrix maximum mean median metrics minimum percent percentage polynomial pressure probability "
        "proof prove quarterly ratio regression report revenue roots scenario simplify solve statement statements statistics strengths study sum table "
        "temperature theorem theory tradeoffs trend trends true valid variance velocity voltage volume weaknesses "
        "arguments causation classify classified congruent conclusions diagnosis experiment extract fallacy induction invoice irrational larger "
        "positions primes reasoning risks sentiment summarise summarize summary unsafe "
        "analysiere beweise berechne vergleiche vorteile nachteile fasse zusammenfassung analysez calcule calculez "
        "comparez démontre démontrez avantages résume analiza calcula demuestra ventajas desventajas resumen analise demonstre "
        "vantagens докажите докажи сравните сравни проанализируйте рассчитайте преимущества недостатки"
    ),
    "conversation": (
        "afternoon bye chat cheers congratulations doing evening goodbye gotcha great hello help hey hi "
        "lonely lol morning name nice night ok okay please recommend recommendation sorry suggest thank thanks today tonight "
        "tomorrow weather weekend what's who who's yes yo you're you "
        "advice dinner feeling gift healthy landlord marathon movie neighbourhoods recipe restaurant "
        "abend danke gruß hallo hauptstadt heute morgen bonjour bonsoir capitale merci s'il salut soirée gracias hola mañana "
        "tardes bom dia obrigado obrigada olá tudo привет спасибо здравствуйте дела завтра empfehlen regalarle"
    ),
}  # fmt: skip

HARDNESS: dict[int, str] = {
    4: "prove beweise beweisen démontre démontrez demuestra demonstre докажите докажи",
    3: "architect architecture concurrency consensus cryptographic derive distributed formally fault-tolerant leader lock-free proof raft theorem rigorous",
    2: (
        "analyse analyze algorithm comprehensive constraints critique debug design evaluate fault implement integral matrix "
        "migrate migration multi-step multithreaded optimise optimize optimization polynomial refactor scalable strategy "
        "synthesize tradeoff tradeoffs trade-offs verify "
        "characterise covenants estimator experiment exogeneity generalise hypotheses indexes induction informally justify mitigations "
        "partitioning pentameter polymorphism randomisation regressor replication rollback sensitivity severity stress unification unreliable"

    ),
    1: (
        "acceleration assess bond calculate charge coefficient combinations compare complexity compute concentration conditional consider "
        "constant current degree derivative detailed determine deviation digits diverse edge efficient enthalpy equation equations "
        "equilibrium estimate explain expression field find finite force formula frequency function graph group "
        "homomorphism hypothesis independent index integer integers intersection investment kg latency liability maximum minimum mol molar momentum "
        "multiply orbit perpendicular plaintiff positive pressure probability propositional radius rate ratio requirements residual respectively "
        "roots security sequence simultaneously solution solve statute subset suppose symbolization temperature thorough "
        "transform triangle truth variance vector velocity voltage volts wavelength which without "
        "assumptions causes congruent cover criteria diagnosis difference differences effect eviction examples experimental faster fallacy "
        "infinitely interval lyrics mostly narrator never plan reasoning risks scene subtext surprise tests trend unbiased verses words "
        "vergleiche vorteile nachteile comparez ventajas desventajas преимущества недостатки сравните"
    ),
    -1: (
        "brief briefly capital convert correct date define definition extract fix format grammar greeting hello hi label list mean "
        "meaning name paraphrase quick quickly rename rephrase rhymes sentiment short simple spell spelling summarise summarize summary synonym "
        "synonyms tag thank thanks today translate translation typo uppercase weather what's when where who"
    ),
}  # fmt: skip

_STRONG = """
bash bug c++ codebase compile css debug django docker git golang html javascript json kotlin kubernetes mutex mysql
node npm numpy ocaml pandas php postgres pytest python react refactor regex rust sdk sql sqlite stacktrace swift traceback typescript
unittest vim webhook yaml
"""
STRONG = frozenset(_STRONG.split())
"""Words of programming that are seldom said of anything else: they count twice."""

_WORKED_OVER = """
classify extract fasse paraphrase proofread rephrase résume résumer résumez resume sentiment summarise summarize summary traduce
traduis traduisez translate übersetze переведи переведите
"""
WORKED_OVER = frozenset(_WORKED_OVER.split())
"""What is asked of a text that comes with it: its length and its words say nothing of how hard that is."""

# Where words are not parted from each other they are looked for as they stand.
UNPARTED: dict[str, str] = {
    "code": "代码 函数 程序 编程 脚本 正则 コード 関数 プログラム スクリプト 코드 함수",
    "creative": "诗 故事 小说 歌词 作文 俳句 物語 小説 短歌 이야기 소설",
    "analysis": "分析 比较 证明 计算 总结 概括 评估 要約 計算 比較 証明 まとめ 분석 비교 증명 요약 계산",
    "conversation": "你好 您好 谢谢 再见 早上好 こんにちは こんばんは おはよう ありがとう お元気 안녕 감사",
}
HARD_UNPARTED = "证明 証明 증명 推导 严格 架构 分布式 优化"

COMMON = frozenset(
    [
        "a",
        "about",
        "all",
        "also",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "do",
        "does",
        "each",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "me",
        "more",
        "my",
        "no",
        "not",
        "of",
        "on",
        "one",
        "only",
        "or",
        "our",
        "out",
        "she",
        "should",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "up",
        "was",
        "we",
        "were",
        "what",
        "when",
        "which",
        "who",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)
"""Of a longer English text these make up a third or more."""

UNPARTED_KIND_OF = {word: kind for kind, words in UNPARTED.items() for word in words.split()}
KIND_OF = {word: kind for kind, words in KINDS_OF.items() for word in words.split()}
HARDNESS_OF = {word: weight for weight, words in HARDNESS.items() for word in words.split()}
