"""Google Vision's features through google-cloud-vision, over REST and over gRPC."""

import google.api_core.exceptions
import pytest
from google.cloud import vision
from google.rpc import code_pb2

import clients
import photos

Type = vision.Feature.Type


@pytest.fixture(params=["rest", "grpc"])
def client(request, server):
    return clients.vision_rest(server.url) if request.param == "rest" else clients.vision_grpc(server.address)


def annotate(client, content, *features, **context):
    request = vision.AnnotateImageRequest(
        image=vision.Image(content=content), features=features, image_context=vision.ImageContext(**context))
    return client.batch_annotate_images(requests=[request]).responses[0]


def feature(kind, most=0):
    return vision.Feature(type_=kind, max_results=most)


def test_labels(client, sample):
    labels = annotate(client, sample, feature(Type.LABEL_DETECTION)).label_annotations
    assert "Motorcycle" in [l.description for l in labels]
    assert [l.score for l in labels] == sorted((l.score for l in labels), reverse=True)
    assert all(l.mid and 0.5 <= l.score <= 1 and l.topicality for l in labels)


def test_objects(client):
    content = photos.need(photos.BICYCLE[0]).read_bytes()
    objects = {o.name: o for o in annotate(client, content, feature(Type.OBJECT_LOCALIZATION)).localized_object_annotations}
    assert {"Bicycle", "Dog"} <= set(objects)
    vertices = objects["Bicycle"].bounding_poly.normalized_vertices
    left, top, right, bottom = vertices[0].x, vertices[0].y, vertices[2].x, vertices[2].y
    assert [(v.x, v.y) for v in vertices] == [(left, top), (right, top), (right, bottom), (left, bottom)]
    # By eye on the photograph, as in test_boto3_labels.py.
    assert [left, top, right, bottom] == pytest.approx([0.16, 0.22, 0.74, 0.73], abs=0.04)


def test_image_properties(client):
    answer = annotate(client, photos.png(100, 80, (255, 127, 0)), feature(Type.IMAGE_PROPERTIES))
    (color,) = answer.image_properties_annotation.dominant_colors.colors
    assert (color.color.red, color.color.green, color.color.blue) == (255, 127, 0)
    assert color.pixel_fraction == pytest.approx(1)


def test_crop_hints(client, sample):
    hints = annotate(client, sample, feature(Type.CROP_HINTS), crop_hints_params={"aspect_ratios": [1.0, 2.0]})
    shapes = []
    for hint in hints.crop_hints_annotation.crop_hints:
        xs, ys = [v.x for v in hint.bounding_poly.vertices], [v.y for v in hint.bounding_poly.vertices]
        shapes.append((max(xs) - min(xs)) / (max(ys) - min(ys)))
        assert 0 < hint.confidence <= 1 and 0 < hint.importance_fraction <= 1
    assert shapes == pytest.approx([1, 2], rel=0.02)


def test_every_feature_at_once(client, sample):
    kinds = [Type.LABEL_DETECTION, Type.OBJECT_LOCALIZATION, Type.IMAGE_PROPERTIES, Type.CROP_HINTS]
    answer = annotate(client, sample, *map(feature, kinds))
    assert answer.label_annotations and answer.localized_object_annotations
    assert answer.image_properties_annotation.dominant_colors.colors and answer.crop_hints_annotation.crop_hints


def test_max_results(client, sample):
    answer = annotate(client, sample, feature(Type.LABEL_DETECTION, 2), feature(Type.IMAGE_PROPERTIES, 3))
    assert len(answer.label_annotations) == 2
    assert len(answer.image_properties_annotation.dominant_colors.colors) == 3


def test_bucket(client):
    request = vision.AnnotateImageRequest(
        image=vision.Image(source=vision.ImageSource(gcs_image_uri="gs://photos/chelsea.png")), features=[feature(Type.LABEL_DETECTION)])
    answer = client.batch_annotate_images(requests=[request]).responses[0]
    assert "Cat" in [l.description for l in answer.label_annotations]


def test_bad_image_fails_alone(client, sample):
    def label(content):
        return vision.AnnotateImageRequest(image=vision.Image(content=content), features=[feature(Type.LABEL_DETECTION)])

    good, bad, also_good = client.batch_annotate_images(requests=[label(sample), label(b"no picture"), label(sample)]).responses
    assert (bad.error.code, bad.error.message) == (code_pb2.INVALID_ARGUMENT, "Bad image data.")
    assert not bad.label_annotations
    assert good.label_annotations and good.label_annotations == also_good.label_annotations


def test_feature_not_offered(client, sample):
    answer = annotate(client, sample, feature(Type.FACE_DETECTION))
    assert answer.error.code == code_pb2.UNIMPLEMENTED == 12
    assert "FACE_DETECTION" in answer.error.message


def test_feature_not_offered_beside_one_that_is(client, sample):
    answer = annotate(client, sample, feature(Type.FACE_DETECTION), feature(Type.LABEL_DETECTION))
    assert answer.error.code == code_pb2.UNIMPLEMENTED
    assert answer.label_annotations


def test_url_is_not_fetched_unless_configured(client):
    request = vision.AnnotateImageRequest(
        image=vision.Image(source=vision.ImageSource(image_uri="http://127.0.0.1:1/x.png")), features=[feature(Type.LABEL_DETECTION)])
    answer = client.batch_annotate_images(requests=[request]).responses[0]
    assert answer.error.code == code_pb2.PERMISSION_DENIED


@pytest.mark.parametrize("count", [0, 17])
def test_whole_call_fails(client, count):
    request = vision.AnnotateImageRequest(image=vision.Image(content=photos.png(80, 80, (1, 2, 3))), features=[feature(Type.LABEL_DETECTION)])
    with pytest.raises(google.api_core.exceptions.BadRequest, match="images? per request|at least one image"):
        client.batch_annotate_images(requests=[request] * count)


def test_method_not_offered(client):
    with pytest.raises((google.api_core.exceptions.MethodNotImplemented, google.api_core.exceptions.ServerError)) as caught:
        client.batch_annotate_files(requests=[vision.AnnotateFileRequest()])
    assert caught.value.code == 501
    assert "BatchAnnotateFiles" in caught.value.message


def test_image_beyond_grpcs_usual_limit(client):
    """4 MiB is what gRPC servers take by default; Vision takes more."""
    content = photos.padded(photos.png(80, 80, (1, 2, 3)), 6 << 20)
    assert not annotate(client, content, feature(Type.LABEL_DETECTION)).error.code
