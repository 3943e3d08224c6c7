"""Makes what charts are drawn with: two fonts and the outlines of a map. Comes in: two files of Noto Sans and a GeoJSON file
of Natural Earth. Goes out, beside this file: NotoSans-*.ttf and outlines.txt. Must never take a name from the geometry.

    pip install fonttools
    python make.py fonts NotoSans-Regular.ttf NotoSans-Bold.ttf
    python make.py outlines countries_50m.geojson
"""

import json
import math
import pathlib
import sys

HERE = pathlib.Path(__file__).parent

# Latin, Latin Extended-A, what Romanian and Croatian add to it, combining marks, Cyrillic, and the signs that charts write.
CHARACTERS = (
    "U+0020-007E,U+00A0-017F,U+01C4-01CC,U+0218-021B,U+0300-030C,U+0400-045F,"
    "U+2010-2014,U+2018-201A,U+201C-201E,U+2020-2022,U+2026,U+202F,U+2030,U+20AC"
)

# Of the jurisdictions that are asked, as they stand in the file. All others are context.
ASKED = ["AL", "BA", "XK", "ME", "MK", "RS"]
# The map, in tenths of a pixel, and the margin around those who are asked.
WIDTH, HEIGHT, MARGIN = 4600, 5600, 140
# Lambert's conformal conic projection: central meridian, parallel of origin, standard parallels.
MERIDIAN, ORIGIN, PARALLELS = 19.5, 43.0, (41.0, 45.5)


def fonts(files):
    from fontTools import subset

    for file in files:
        options = ["--layout-features=ccmp,locl,mark,mkmk,kern", "--no-hinting"]
        keep = ["--name-IDs=0,1,2,3,4,5,6,7,13,14", f"--unicodes={CHARACTERS}"]
        subset.main([file, f"--output-file={HERE / pathlib.Path(file).name}", *options, *keep])


def project(longitude, latitude):
    """Snyder, Map Projections: A Working Manual (1987), equations 15-1 to 15-3, on a sphere of radius 1."""
    first, second = (math.radians(parallel) for parallel in PARALLELS)

    def colatitude(phi):
        return math.tan(math.pi / 4 + phi / 2)

    n = math.log(math.cos(first) / math.cos(second)) / math.log(colatitude(second) / colatitude(first))
    factor = math.cos(first) * colatitude(first) ** n / n
    rho = factor / colatitude(math.radians(latitude)) ** n
    rho_origin = factor / colatitude(math.radians(ORIGIN)) ** n
    theta = n * math.radians(longitude - MERIDIAN)
    return rho * math.sin(theta), -(rho_origin - rho * math.cos(theta))


def clipped(ring):
    """Sutherland and Hodgman: what of a ring lies on the map."""
    sides = [(0, 1, 0), (0, -1, -WIDTH), (1, 1, 0), (1, -1, -HEIGHT)]
    for axis, sign, least in sides:
        kept = []
        for at, point in enumerate(ring):
            before = ring[at - 1]
            here, there = sign * point[axis] - least, sign * before[axis] - least
            if (here >= 0) != (there >= 0):
                part = there / (there - here)
                kept.append(tuple(b + part * (p - b) for b, p in zip(before, point)))
            if here >= 0:
                kept.append(point)
        ring = kept
    return ring


def inside(point, ring):
    x, y = point
    found = False
    for at, (x1, y1) in enumerate(ring):
        x0, y0 = ring[at - 1]
        if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
            found = not found
    return found


def room(point, ring):
    """How far the nearest border is; labels are wide, so a distance across counts half."""
    x, y = point
    nearest = 1e9
    for at, (x1, y1) in enumerate(ring):
        x0, y0 = ring[at - 1]
        steps = max(1, int(max(abs(x1 - x0), abs(y1 - y0)) // 20))
        for step in range(steps):
            px, py = x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps
            nearest = min(nearest, math.hypot((px - x) / 1.8, py - y))
    return nearest


def label_of(ring):
    xs, ys = zip(*ring)
    spots = [(x, y) for x in range(int(min(xs)), int(max(xs)), 25) for y in range(int(min(ys)), int(max(ys)), 25)]
    return max((spot for spot in spots if inside(spot, ring)), key=lambda spot: room(spot, ring))


def outlines(file):
    features = json.loads(pathlib.Path(file).read_text())["features"]
    flat = {}
    for feature in features:
        shape = feature["geometry"]
        polygons = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
        # Outer rings only: no jurisdiction in the file has a hole.
        flat[feature["properties"]["geo"]] = [[project(*point) for point in polygon[0]] for polygon in polygons]
    asked = [point for code in ASKED for ring in flat[code] for point in ring]
    (left, right), (top, bottom) = ((min(side), max(side)) for side in zip(*asked))
    scale = min((WIDTH - 2 * MARGIN) / (right - left), (HEIGHT - 2 * MARGIN) / (bottom - top))
    across = (WIDTH - scale * (right - left)) / 2
    down = (HEIGHT - scale * (bottom - top)) / 2

    def place(ring):
        placed = clipped([(across + scale * (x - left), down + scale * (y - top)) for x, y in ring])
        points = []
        for x, y in placed:
            point = (round(x), round(y))
            if not points or math.dist(points[-1], point) >= 8:
                points.append(point)
        return points

    lines = [
        "# Outlines, made by make.py from Natural Earth 1:50m (public domain), as packaged in world-atlas 2.0.2 (ISC).",
        f"# Lambert conformal conic; tenths of a pixel on a map of {WIDTH} by {HEIGHT}. Code, where its label stands, outer rings.",
        f"size {WIDTH},{HEIGHT}",
    ]
    for code, rings in sorted(flat.items()):
        rings = [ring for ring in map(place, rings) if len(ring) > 3]
        if not rings:
            continue
        label = "{},{}".format(*label_of(max(rings, key=len))) if code in ASKED else "-"
        written = ";".join(" ".join(f"{x},{y}" for x, y in ring) for ring in rings)
        lines.append(f"{code} {label} {written}")
    (HERE / "outlines.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fonts", *files] if files:
            fonts(files)
        case ["outlines", file]:
            outlines(file)
        case _:
            sys.exit(__doc__)
