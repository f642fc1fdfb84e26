package imageio

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// accepted names the formats for people, in error messages.
const accepted = "JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF"

// sniff returns the name of the supported format that data begins like, or "".
// The signatures are those of the formats' specifications.
func sniff(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return "jpeg"
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return "png"
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return "webp"
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		return "gif"
	case isTIFF(data):
		return "tiff"
	case bytes.HasPrefix(data, []byte("BM")) && len(data) >= 26:
		return "bmp"
	case isBrand(data, "avif", "avis"):
		return "avif"
	}
	return ""
}

// isTIFF recognises classic TIFF (42) and BigTIFF (43) in either byte order.
func isTIFF(data []byte) bool {
	for _, magic := range []string{"II\x2a\x00", "MM\x00\x2a", "II\x2b\x00", "MM\x00\x2b"} {
		if bytes.HasPrefix(data, []byte(magic)) {
			return true
		}
	}
	return false
}

// isBrand says whether data is an ISO base media file with one of the brands, as its
// major brand or among the compatible ones (ISO/IEC 14496-12, 4.3).
func isBrand(data []byte, brands ...string) bool {
	if len(data) < 16 || string(data[4:8]) != "ftyp" {
		return false
	}
	end := min(len(data), 128, int(data[2])<<8|int(data[3]))
	for i := 8; i+4 <= end; i += 4 {
		for _, b := range brands {
			if i != 12 && string(data[i:i+4]) == b { // 12 is the minor version
				return true
			}
		}
	}
	return false
}

// foreign are the beginnings of files people send by mistake, with a name for each.
var foreign = []struct{ prefix, name string }{
	{"%PDF-", "a PDF document"},
	{"%!PS", "a PostScript document"},
	{"\xc5\xd0\xd3\xc6", "a PostScript document"},
	{"8BPS", "a Photoshop document"},
	{"\x00\x00\x01\x00", "a Windows icon"},
	{"\x00\x00\x02\x00", "a Windows cursor"},
	{"\xff\x0a", "a JPEG XL image"},
	{"\x00\x00\x00\x0cJXL ", "a JPEG XL image"},
	{"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"},
	{"\xff\x4f\xff\x51", "a JPEG 2000 image"},
	{"qoif", "a QOI image"},
	{"PK\x03\x04", "a ZIP archive or office document"},
	{"\x1f\x8b", "gzip-compressed data"},
	{"\x1aE\xdf\xa3", "a Matroska or WebM video"},
	{"RIFF", "a RIFF file that is not WebP"},
	{"\x7fELF", "a program"},
	{"<svg", "an SVG drawing"},
	{"<!DOCTYPE html", "an HTML page"},
	{"<html", "an HTML page"},
}

// foreignName says what unsupported data seems to be, to complete "The image is …".
func foreignName(data []byte) string {
	for _, f := range foreign {
		if len(data) >= len(f.prefix) && strings.EqualFold(string(data[:len(f.prefix)]), f.prefix) {
			return f.name
		}
	}
	head := data[:min(len(data), 512)]
	switch {
	case isBrand(data, "heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"):
		return "a HEIC image"
	case len(data) >= 12 && string(data[4:8]) == "ftyp":
		return "a video"
	case bytes.Contains(head, []byte("<svg")):
		return "an SVG drawing"
	case bytes.Contains(bytes.ToLower(head), []byte("<html")):
		return "an HTML page"
	case isBase64(head):
		return "base64 text that was not decoded"
	case isText(head):
		return "text"
	}
	return "of no known format"
}

// isBase64 recognises the base64 of the common formats, alone or in a data URL.
func isBase64(head []byte) bool {
	for _, p := range []string{"data:image/", "/9j/", "iVBORw0KGgo", "UklGR", "R0lGOD"} {
		if bytes.HasPrefix(head, []byte(p)) {
			return true
		}
	}
	return false
}

// isText says whether head is UTF-8 without control characters; its last rune may be cut.
func isText(head []byte) bool {
	for i := 0; i < len(head); {
		r, n := utf8.DecodeRune(head[i:])
		if r == utf8.RuneError && n == 1 && len(head)-i >= utf8.UTFMax {
			return false
		}
		if r < 0x20 && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		i += n
	}
	return true
}
