"""DetectLabels through boto3, parameter by parameter and field by field."""

import pytest

import clients
import photos


@pytest.fixture(scope="module")
def client(server):
    return clients.rekognition(server.url)


@pytest.fixture(scope="module")
def street(client):
    """The whole answer about the bicycle, the dog and the car before it."""
    image = photos.need(photos.BICYCLE[0]).read_bytes()
    return client.detect_labels(Image={"Bytes": image}, Features=["GENERAL_LABELS", "IMAGE_PROPERTIES"])


def by_name(answer):
    return {l["Name"]: l for l in answer["Labels"]}


def test_label_has_its_family(street):
    bicycle = by_name(street)["Bicycle"]
    assert {p["Name"] for p in bicycle["Parents"]} == {"Vehicle", "Transportation"}
    assert "Bike" in [a["Name"] for a in bicycle["Aliases"]]
    assert [c["Name"] for c in bicycle["Categories"]] == ["Vehicles and Automotive"]
    assert 90 < bicycle["Confidence"] <= 100


def test_parents_are_labels_too(street):
    labels = by_name(street)
    for label in street["Labels"]:
        for parent in label["Parents"]:
            assert labels[parent["Name"]]["Confidence"] >= label["Confidence"]


def test_instance_has_a_box_in_fractions(street):
    (instance,) = by_name(street)["Bicycle"]["Instances"]
    box = instance["BoundingBox"]
    # By eye on the photograph: from 16 % to 74 % of its width, 22 % to 73 % of its height.
    assert box["Left"] == pytest.approx(0.16, abs=0.04)
    assert box["Top"] == pytest.approx(0.22, abs=0.04)
    assert box["Left"] + box["Width"] == pytest.approx(0.74, abs=0.04)
    assert box["Top"] + box["Height"] == pytest.approx(0.73, abs=0.04)
    assert 0 < instance["Confidence"] <= 100


def test_instance_has_colors_with_image_properties(street):
    (instance,) = by_name(street)["Bicycle"]["Instances"]
    assert instance["DominantColors"]


def test_image_properties(street):
    properties = street["ImageProperties"]
    assert set(properties["Quality"]) == {"Brightness", "Sharpness", "Contrast"}
    for part in (properties, properties["Foreground"], properties["Background"]):
        assert {"Brightness", "Sharpness"} <= set(part["Quality"])
        assert all(0 <= v <= 100 for v in part["Quality"].values())
        shares = [c["PixelPercent"] for c in part["DominantColors"]]
        assert shares == sorted(shares, reverse=True)
        assert 50 < sum(shares) <= 100.01
        for c in part["DominantColors"]:
            assert c["HexCode"].lower() == "#{Red:02x}{Green:02x}{Blue:02x}".format(**c)
            assert c["CSSColor"] and c["SimplifiedColor"]


def test_labels_come_most_certain_first(street):
    confidences = [l["Confidence"] for l in street["Labels"]]
    assert confidences == sorted(confidences, reverse=True)


def test_model_version_and_no_orientation(street):
    assert "coco-ssd" in street["LabelModelVersion"]
    assert "OrientationCorrection" not in street


def test_general_labels_by_default(client, sample):
    answer = client.detect_labels(Image={"Bytes": sample})
    assert answer["Labels"]
    assert "ImageProperties" not in answer
    assert all(l["Confidence"] >= 55 for l in answer["Labels"])


def test_image_properties_alone(client):
    teal = photos.png(100, 80, (0, 128, 128))
    answer = client.detect_labels(Image={"Bytes": teal}, Features=["IMAGE_PROPERTIES"], MinConfidence=99)
    assert answer["Labels"] == []
    (color,) = answer["ImageProperties"]["DominantColors"]
    assert (color["Red"], color["Green"], color["Blue"], color["CSSColor"]) == (0, 128, 128, "teal")
    assert color["PixelPercent"] == pytest.approx(100)


def test_max_dominant_colors(client, sample):
    answer = client.detect_labels(Image={"Bytes": sample}, Features=["IMAGE_PROPERTIES"], Settings={"ImageProperties": {"MaxDominantColors": 2}})
    assert len(answer["ImageProperties"]["DominantColors"]) == 2


def test_max_labels(client, sample):
    every = client.detect_labels(Image={"Bytes": sample})["Labels"]
    two = client.detect_labels(Image={"Bytes": sample}, MaxLabels=2)["Labels"]
    assert [l["Name"] for l in two] == [l["Name"] for l in every[:2]]


def test_max_labels_zero(client, sample):
    assert client.detect_labels(Image={"Bytes": sample}, MaxLabels=0)["Labels"] == []


def test_min_confidence(client, sample):
    few = client.detect_labels(Image={"Bytes": sample}, MinConfidence=90)["Labels"]
    many = client.detect_labels(Image={"Bytes": sample}, MinConfidence=0)["Labels"]
    assert few and all(l["Confidence"] >= 90 for l in few)
    assert len(many) > len(few)


@pytest.mark.parametrize(
    ("filters", "allowed"),
    [
        ({"LabelInclusionFilters": ["Motorcycle"]}, lambda l: l["Name"] == "Motorcycle"),
        ({"LabelExclusionFilters": ["Motorcycle"]}, lambda l: l["Name"] != "Motorcycle"),
        ({"LabelCategoryInclusionFilters": ["Vehicles and Automotive"]}, lambda l: "Vehicles and Automotive" in [c["Name"] for c in l["Categories"]]),
        ({"LabelCategoryExclusionFilters": ["Vehicles and Automotive"]}, lambda l: "Vehicles and Automotive" not in [c["Name"] for c in l["Categories"]]),
    ],
    ids=["only this label", "all but this label", "only this category", "all but this category"],
)
def test_filters(client, sample, filters, allowed):
    answer = client.detect_labels(Image={"Bytes": sample}, MinConfidence=1, Settings={"GeneralLabels": filters})
    assert answer["Labels"]
    assert all(map(allowed, answer["Labels"]))


def test_image_of_a_bucket_is_the_same_image(client, sample):
    by_bytes = client.detect_labels(Image={"Bytes": sample})
    by_name = client.detect_labels(Image={"S3Object": {"Bucket": "photos", "Name": photos.MOTORCYCLE[0].name}})
    assert by_bytes["Labels"] == by_name["Labels"]


def test_answer_has_a_request_id(client, sample):
    metadata = client.detect_labels(Image={"Bytes": sample})["ResponseMetadata"]
    assert metadata["HTTPHeaders"]["x-amzn-requestid"] == metadata["RequestId"]
