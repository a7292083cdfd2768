"""Writes packaging.json: what Python's own `packaging` says of hard cases. Needs packaging 26.1: `pip install packaging==26.1`."""

import json
import pathlib

import packaging
from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

PLATFORM = 'pyemscripten_2026_0_wasm32'
TAGS = [str(t) for t in [*cpython_tags((3, 14), ['cp314'], [PLATFORM]), *compatible_tags((3, 14), 'cp314', [PLATFORM])]]
ENVIRONMENT = {
    'implementation_name': 'cpython', 'implementation_version': '3.14.2', 'os_name': 'posix', 'platform_machine': 'wasm32',
    'platform_release': '', 'platform_system': 'Emscripten', 'platform_version': '', 'python_full_version': '3.14.2',
    'platform_python_implementation': 'CPython', 'python_version': '3.14', 'sys_platform': 'emscripten',
}

VERSIONS = """1.0 1 1.0.0 1.0.1 1.0.post1 1.0.post1.dev2 1.0a1 1.0.alpha1 1.0-alpha-1 1.0rc1 1.0c1 1.0.dev3 1.0a1.dev1 1.0a1.post1
1!0.5 1!1.0 0!1.0 v1.0 1.0+ubuntu.1 1.0+ubuntu-1 1.0+1 1.0+a.10 1.0+a.9 1.0+10 1.0-1 1.0-r2 1.0.rev3 1.1 1.1.dev1 1.10 1.9 2 2.0.0rc1
2.0.dev0 2024.1 1.0.post0 1.0_post_1 1.0.preview2 1.0pre2 00.01 1.0.0.0 1.0a 1.0.post 1.0dev 1.0+ABC 1.0.post1+local 20240101123456789012
20240101123456789013 1.0b1 1.0b10 1.0b9 0 0.0 0.dev1 1.0rc1+x 3.14.0a7 3.14.2""".split()
INVALID_VERSIONS = '1.0-x x 1..0 1.0+ 1.0+_ 1.0.* 1-2-3 1.0--1 =1.0 1,0 1.0+a..b 1.0.dev-x 1e5 ٣'.split() + ['', '1 0']
SPECIFIERS = """==1.0 ==1 ==1.0.* ==1.* ==1!1.0 ==1!1.* !=1.0 !=1.0.* !=1.* >=1.0 >1.0 <=1.0 <1.0 <1.1 >1.0.post1 >1.0a1 <1.0rc1 <=1.0rc1 ~=1.0
~=1.0.1 ~=1.0a1 ~=1.0.post1 ~=1.1 ===1.0 ===1.0+ubuntu.1 ==1.0+ubuntu.1 !=1.0+ubuntu.1 ==1.0.post1 ==1.0.dev3 >=1.0,<2
>=1.0,!=1.0.1,<2.0 >=1.0.dev0 >=1!0 <2.0.dev1 >=1.0,<1.1.dev1 ~=1!0.5 ==1.0.0.0.* ==1.0rc1 >1 <1 >1.0.dev3 <1.0.post1 >2024 >=1.0a1,<1.0
~=2024.1 !=1.0rc1 !=1.0rc1,>=1.0 >=20240101123456789012,<20240101123456789013 ==0 ==0.* >0 <0.dev2 ~=0.0 >=3.8,<4 ==1.0+ABC >1.0.post1+x
<=1.0.post1 >=1.0.post1 <1.0.dev1 >1.0rc1 ==1.0b1 ==1.0, ,>=1""".split()
INVALID_SPECIFIERS = '~=1 ~=1.* >=1.* >=1.0+local ==1.0+local.* ~=1.0+l =1.0 1.0 ==1.0.*.1 ==* >=1.0; <1.0.dev.* ==1.0.dev1.* ==1.0a1.* >=x => ><1'.split()
MARKERS = [
    'python_version < "3.10"', 'python_version >= "3.9"', 'python_version > "3.9"', 'python_version == "3.14"', 'python_version == "3.14.*"',
    'python_version in "3.13 3.14"', 'python_version not in "3.13, 3.14"', 'python_full_version >= "3.14.1"', 'python_full_version < "3.14.0"',
    "sys_platform == 'emscripten'", "sys_platform != 'win32'", "sys.platform == 'linux'", "os.name == 'nt'", "os_name == 'posix'",
    "platform_machine in 'x86_64 aarch64'", "platform_machine == 'wasm32'", "platform.machine == 'wasm32'", "platform_system == 'Emscripten'",
    "python_implementation == 'CPython'", "platform.python_implementation == 'PyPy'", "platform_python_implementation != 'PyPy'",
    "implementation_name == 'cpython'", "implementation_version >= '3.14'", "platform_release >= '5'", "platform_version == ''",
    "extra == 'socks'", "extra == 'Socks_5'", "'socks' == extra", "extra != 'socks'", "extra in 'socks test'", "extra == ''",
    "python_version >= '3.8' and extra == 'socks'", "python_version < '3.8' or extra == 'socks'",
    "extra == 'socks' or extra == 'test' and python_version < '3'", "(extra == 'socks' or extra == 'test') and python_version < '3'",
    "((python_version >= '3'))", "python_version>='3'and os_name=='posix'", "'3.9' <= python_version", "'linux' in sys_platform",
    "'script' in sys_platform", "sys_platform > 'a'", "sys_platform >= 'emscripten'", "python_version ~= '3.1'", "python_version ~= '3.14.0'",
    "python_version === '3.14'", "python_version != '3.14'", "python_version >= '3.14.0a1'", "python_version < '3.14.1'", "python_version == 'x'",
    "python_version != 'x'", "python_version <= '4' and (os_name == 'nt' or (sys_platform == 'emscripten' and extra == 'test'))",
    "platform_python_implementation=='CPython' and platform_system!='Windows' and sys_platform!='darwin'",
]
INVALID_MARKERS = ['', 'python_version', "python_version >= 3", "python_version >= '3' and", "(python_version >= '3'", "foo == 'x'",
                   "python_version => '3'", "python_version >= '3' os_name == 'nt'", "python_version not '3'", "extra ='x'", "python_versions == '3'"]
REQUIREMENTS = [
    'requests', 'requests>=2', 'requests >= 2 , < 3', 'requests (>=2,<3)', 'requests[socks]', 'requests[socks,Use.Chardet]>=2', 'requests []',
    'requests[ a , b ] (>= 2); python_version >= "3"', 'Foo.Bar__baz==1.*', 'a', 'A-B', 'a;extra=="x"', 'a ; (extra == "x")', "a==1;os_name=='nt'",
    'a===1.0+anything-else', 'name<3', 'a>=1,', 'a~=1.0', 'a!=1.*', 'foo>1.0a1', 'a(==1)', 'a [b] == 1', 'x[y]', 'a<=2024.1', 'a\t>=\t1',
]
INVALID_REQUIREMENTS = ['', '1.0>', '-a', 'a-', 'a b', 'a>=1 b', 'a[', 'a[b', 'a[b c]', 'a[,]', 'a[b,]', 'a>=', 'a=1', 'a>1,,<2', 'a(>=1', 'a>=1)', 'a;', 'a; x', 'a>=1.*',
                        'a~=1', './a.whl', 'a>=1;python_version', 'a,>=1', '_a']
WHEELS = [
    'numpy-2.4.3-cp314-cp314-pyemscripten_2026_0_wasm32.whl', 'six-1.17.0-py2.py3-none-any.whl', 'a-1-1-py3-none-any.whl', 'a-1-1b-py3-none-any.whl',
    'a-1-0012local-py3-none-any.whl', 'Foo_Bar-1.0+local.1-py3-none-any.whl', 'foo-1.0-cp39-abi3-pyemscripten_2026_0_wasm32.whl',
    'foo-1.0-cp313-cp313-pyemscripten_2026_0_wasm32.whl', 'foo-1.0-cp314-cp314-pyemscripten_2025_0_wasm32.whl', 'foo-1.0-cp314-cp314t-pyemscripten_2026_0_wasm32.whl',
    'foo-1.0-cp314-none-any.whl', 'foo-1.0-py39-none-any.whl', 'foo-1.0-py2-none-any.whl', 'foo-1.0-cp314-cp314-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
    'foo-1.0-py3-abi3-any.whl', 'foo-1.0-cp315-abi3-pyemscripten_2026_0_wasm32.whl', 'foo-1.0-py3-none-pyemscripten_2026_0_wasm32.whl',
    'foo-1.0-cp2.cp314-none.cp314-any.pyemscripten_2026_0_wasm32.whl', 'python_dateutil-2.9.0.post0-py2.py3-none-any.whl', 'a-1!2.0-py3-none-any.whl',
    'foo-1.0.tar.gz', 'foo-1.0.whl', 'foo-x-py3-none-any.whl', 'foo-1-a-py3-none-any.whl', 'foo--1-py3-none-any.whl', 'fo__o-1-py3-none-any.whl', 'a-b-1-py3-none-any-x.whl',
]
EXTRAS = ['', 'socks', 'socks-5', 'test']


def refuses(make, error, texts):
    for text in texts:
        try:
            make(text)
        except error:
            continue
        raise SystemExit(f'packaging accepts {text!r}')
    return texts


def wheel(file):
    try:
        name, version, build, tags = parse_wheel_filename(file)
    except InvalidWheelFilename:
        return [file, None]
    ranks = [TAGS.index(str(t)) for t in tags if str(t) in TAGS]
    return [file, [name, str(version), list(build), min(ranks, default=None)]]


def requirement(text):
    r = Requirement(text)
    return [text, r.name, sorted(r.extras), sorted(str(s) for s in r.specifier), str(r.marker) if r.marker else None]


def bits(values):
    return ''.join('1' if value else '0' for value in values)


ordered = [Version(v) for v in VERSIONS]
table = {
    'packaging': packaging.__version__,
    'python': ENVIRONMENT['python_full_version'],
    'versions': [[text, str(Version(text)), bits([Version(text).is_prerelease])] for text in VERSIONS],
    'order': [''.join('<=>'[(a > b) - (a < b) + 1] for b in ordered) for a in ordered],
    'invalidVersions': refuses(Version, InvalidVersion, INVALID_VERSIONS),
    'specifiers': [
        [text, bits(SpecifierSet(text).contains(v, prereleases=True) for v in VERSIONS), bits(v in set(SpecifierSet(text).filter(VERSIONS)) for v in VERSIONS)]
        for text in SPECIFIERS if text != '>1.0.post1+x'
    ],
    'invalidSpecifiers': refuses(SpecifierSet, InvalidSpecifier, INVALID_SPECIFIERS + ['>1.0.post1+x']),
    'markers': [[text, bits(Marker(text).evaluate({**ENVIRONMENT, 'extra': extra}) for extra in EXTRAS)] for text in MARKERS],
    'extras': EXTRAS,
    'invalidMarkers': refuses(Marker, InvalidMarker, INVALID_MARKERS),
    'requirements': [requirement(text) for text in REQUIREMENTS],
    'invalidRequirements': refuses(Requirement, InvalidRequirement, INVALID_REQUIREMENTS),
    'wheels': [wheel(file) for file in WHEELS],
    'tags': TAGS,
}
path = pathlib.Path(__file__).with_name('packaging.json')
path.write_text(json.dumps(table, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')
