"""Model cards: what a good one gives, and the message of every bad one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from bayesmed.cards import Framing, load_card
from bayesmed.core.errors import CardError, DataError
from bayesmed.data import ArmCovariance, MediatorColumns, SiteColumns
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler
from bayesmed.priors import Prior

MODEL = '[model]\ntype = "site_slope"\n'
DATA = '[data]\nfile = "sites.csv"\ntotal_effect = "tau_hat"\ntotal_effect_se = "tau_se"\n'
MEDIATOR = '[[data.mediators]]\nname = "effort"\neffect = "gamma_hat"\nse = "gamma_se"\n'
MINIMAL = MODEL + DATA + MEDIATOR

ARMS = 'site = "country"\narm = "arm"\nblock = "country"\n'
GRID = 'columns = [["gg", "gt"], ["tg", "tt"]]\n'
BETWEEN = '[[data.arm_covariances]]\narm = "letter"\n' + GRID

SITES = """country,arm,year,gamma_hat,gamma_se,tau_hat,tau_se,r
A,1,2010,0.1,0.02,0.3,0.1,0.2
B,1,2010,0.2,0.03,0.5,0.1,0.1
C,1,2011,0.4,0.02,0.7,0.1,0.3
D,1,2010,0.6,0.02,1.2,0.1,0.0
"""

FULL = """
title = "Turnout"
question = "How much runs through effort?"
published = "Nowhere\\nyet."
assumptions = ["Random assignment.", "One slope."]

[model]
type = "site_slope"
slope = "random"
direct_effect = true
direct_effect_distribution = "student_t"
correlation = { distribution = "Uniform", lower = -0.5, upper = 0.5 }
covariates = ["year"]
interaction = true

[data]
file = "sites.csv"
where = { year = 2010, arm = "1" }
site = "country"
arm = "arm"
block = "country"
weight = "gamma_se"
n = "year"
covariates = ["year"]
outcome = "turnout"
outcome_scale = "log odds"
total_effect = "tau_hat"
total_effect_interval = ["low", "high"]

[[data.mediators]]
name = "effort"
effect = "gamma_hat"
se = "gamma_se"
corr = "r"

[[data.mediators]]
name = "hope"
effect = "h"
interval = ["h_low", "h_high"]

[[data.covariances]]
first = "effort"
second = "hope"
cov = "eh"

[[data.arm_covariances]]
arm = "1"
columns = [["a", "b", "c"], ["d", "e", "f"], ["g", "i", "j"]]

[priors.slope]
distribution = "Normal"
mu = 0
sigma = 1
unit = "data"

[priors."slope_sd[hope]"]
distribution = "HalfNormal"
sigma = 2

[priors.direct_effect_sd]
distribution = "HalfNormal"
sigma = 0.5
unit = "scaled"

[sampler]
engine = "exact"
draws = 500
tune = 400
chains = 2
target_accept = 0.9
cores = 1
seed = 11
"""


def write(folder: Path, text: str, name: str = "study.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key_arrives_where_it_belongs(tmp_path: Path) -> None:
    card = load_card(write(tmp_path, FULL))
    assert card.framing == Framing(
        title="Turnout",
        question="How much runs through effort?",
        published="Nowhere\nyet.",
        assumptions=("Random assignment.", "One slope."),
    )
    assert card.model == SiteSlope(
        slope="random",
        direct_effect=True,
        direct_effect_distribution="student_t",
        correlation=Prior("Uniform", lower=-0.5, upper=0.5),
        covariates=("year",),
        interaction=True,
        priors={
            "slope": Prior("Normal", mu=0, sigma=1),
            "slope_sd[hope]": Prior("HalfNormal", sigma=2),
            "direct_effect_sd": Prior("HalfNormal", sigma=0.5, unit="scaled"),
        },
    )
    assert card.sampler == Sampler(
        engine="exact", draws=500, tune=400, chains=2, target_accept=0.9, cores=1
    )
    assert card.seed == 11
    assert card.data.file == tmp_path / "sites.csv"
    assert card.data.dataset is None
    columns = card.data.columns
    assert columns is not None
    assert columns.mediators == (
        MediatorColumns("effort", "gamma_hat", se="gamma_se", corr="r"),
        MediatorColumns("hope", "h", interval=("h_low", "h_high")),
    )
    assert [(c.first, c.second, c.cov) for c in columns.covariances] == [("effort", "hope", "eh")]
    grid = (("a", "b", "c"), ("d", "e", "f"), ("g", "i", "j"))
    assert columns.arm_covariances == (ArmCovariance("1", grid),)
    assert columns == SiteColumns(
        mediators=columns.mediators,
        covariances=columns.covariances,
        arm_covariances=columns.arm_covariances,
        total_effect="tau_hat",
        total_effect_interval=("low", "high"),
        site="country",
        arm="arm",
        block="country",
        weight="gamma_se",
        n="year",
        covariates=("year",),
        outcome="turnout",
        outcome_scale="log odds",
        where={"year": "2010", "arm": "1"},
    )


def test_what_is_left_out_has_the_documented_default(tmp_path: Path) -> None:
    card = load_card(write(tmp_path, MINIMAL))
    assert card.model == SiteSlope()
    assert card.sampler == Sampler()
    assert card.seed is None
    assert card.framing == Framing()
    assert card.data.columns is not None
    assert (card.data.columns.outcome, card.data.columns.site) == ("outcome", None)
    assert (card.data.derivation, card.data.notes) == ("", ())


def test_the_data_file_is_found_beside_the_card_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = tmp_path / "study"
    elsewhere = tmp_path / "elsewhere"
    study.mkdir()
    elsewhere.mkdir()
    write(study, SITES, "sites.csv")
    write(study, MINIMAL)
    monkeypatch.chdir(elsewhere)
    assert load_card("../study/study.toml").load_data().n_rows == 4


def test_an_absolute_data_file_stays_where_it_is(tmp_path: Path) -> None:
    csv = write(tmp_path, SITES, "sites.csv")
    (tmp_path / "cards").mkdir()
    card = write(tmp_path / "cards", MINIMAL.replace("sites.csv", csv.as_posix()))
    assert load_card(card).load_data().n_rows == 4


TWO = """site,g1,s1,g2,s2,b,sb,c1,c2,c12,urban
A,0.1,0.1,0.3,0.1,0.5,0.2,0.004,0.002,0.003,0
B,0.4,0.1,0.1,0.1,0.9,0.2,0.004,0.002,0.003,1
C,0.7,0.1,0.2,0.1,1.4,0.2,0.004,0.002,0.003,0
D,0.9,0.1,0.6,0.1,1.5,0.2,0.004,0.002,0.003,1
"""

TWO_CARD = """
[model]
type = "site_slope"
slope = "random"
covariates = ["urban"]

[data]
file = "two.csv"
site = "site"
covariates = ["urban"]
total_effect = "b"
total_effect_se = "sb"

[[data.mediators]]
name = "LDL"
effect = "g1"
se = "s1"
cov = "c1"

[[data.mediators]]
name = "HDL"
effect = "g2"
se = "s2"
cov = "c2"

[[data.covariances]]
first = "LDL"
second = "HDL"
cov = "c12"

[priors."slope[LDL]"]
distribution = "Normal"
mu = 1
sigma = 0.5

[priors."covariate_effect[urban]"]
distribution = "Normal"
sigma = 3
"""


def test_a_card_of_two_mediators_gives_data_and_priors_of_both(tmp_path: Path) -> None:
    write(tmp_path, TWO, "two.csv")
    card = load_card(write(tmp_path, TWO_CARD))
    data = card.load_data()
    assert data.mediators == ("LDL", "HDL")
    expected = [[0.01, 0.003, 0.004], [0.003, 0.01, 0.002], [0.004, 0.002, 0.04]]
    assert data.cov[0] == pytest.approx(np.array(expected))
    card.model.check_data(data)
    priors = card.model.priors_for(data)
    assert priors["slope[LDL]"] == Prior("Normal", mu=1, sigma=0.5)
    assert priors["slope[HDL]"].distribution == "Normal"
    assert priors["covariate_effect[urban]"] == Prior("Normal", mu=0, sigma=3)
    assert "slope_sd[LDL]" in priors
    wrong = TWO_CARD.replace("slope[LDL]", "slope[LDK]")
    with pytest.raises(DataError, match=r"slope\[LDK\].*'slope\[LDL\]'"):
        load_card(write(tmp_path, wrong)).model.check_data(data)


def test_a_card_names_the_covariances_between_arms(tmp_path: Path) -> None:
    table = """country,arm,gamma_hat,gamma_se,tau_hat,tau_se,gg,gt,tg,tt
A,letter,0.1,0.1,0.3,0.2,,,,
A,call,0.4,0.1,0.5,0.2,0.005,0.001,0.002,0.02
B,call,0.9,0.1,1.5,0.2,,,,
"""
    write(tmp_path, table, "sites.csv")
    data = load_card(write(tmp_path, MODEL + DATA + ARMS + MEDIATOR + BETWEEN)).load_data()
    assert data.labels == ("A / letter", "A / call", "B / call")
    assert data.cross_cov[0, 1].tolist() == [[0.005, 0.002], [0.001, 0.02]]


def test_where_keeps_rows_of_whole_numbers_and_texts(tmp_path: Path) -> None:
    write(tmp_path, SITES, "sites.csv")
    card = MODEL + DATA + 'site = "country"\nwhere = { year = 2010 }\n' + MEDIATOR
    assert load_card(write(tmp_path, card)).load_data().site == ("A", "B", "D")


def test_a_file_given_by_hand_wins_over_file_and_dataset(tmp_path: Path) -> None:
    other = write(tmp_path, SITES, "other.csv")
    for data in (DATA, DATA.replace('file = "sites.csv"', 'dataset = "berkey1998"')):
        card = load_card(write(tmp_path, MODEL + data + MEDIATOR))
        assert card.load_data(other).n_rows == 4


def test_parquet_is_read_as_parquet(tmp_path: Path) -> None:
    import io

    import pandas as pd

    pd.read_csv(io.StringIO(SITES)).to_parquet(tmp_path / "sites.parquet")
    card = write(tmp_path, MINIMAL.replace("sites.csv", "sites.parquet"))
    assert load_card(card).load_data().total_effect.tolist() == [0.3, 0.5, 0.7, 1.2]


def test_a_card_without_data_says_so_only_when_they_are_needed(tmp_path: Path) -> None:
    card = load_card(write(tmp_path, MINIMAL.replace('file = "sites.csv"\n', "")))
    with pytest.raises(CardError, match=r"names no data.*--data"):
        card.load_data()


def test_the_missing_data_file_is_named(tmp_path: Path) -> None:
    card = load_card(write(tmp_path, MINIMAL))
    with pytest.raises(DataError, match=r"sites\.csv"):
        card.load_data()


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load_card(path).data.columns.total_effect == "tau_hat"


BAD = [
    # what is written, what the message must say
    (DATA + MEDIATOR, r"study\.toml: model is missing"),
    ("[model]\n" + DATA + MEDIATOR, r"model\.type is missing"),
    (MINIMAL.replace("site_slope", "site_slop"), r"model\.type is 'site_slop'.*'site_slope'"),
    (MINIMAL.replace('"site_slope"', "3"), r"model\.type is 3.*quotes"),
    (MINIMAL + "[modle]\n", r"the key 'modle' is not known.*'model'"),
    (MODEL + "slop = 1\n" + DATA + MEDIATOR, r"the key 'model\.slop' is not known.*'slope'"),
    (MODEL + 'slope = "wobbly"\n' + DATA + MEDIATOR, r"\[model\].*'wobbly'"),
    (MODEL + "direct_effect = 1\n" + DATA + MEDIATOR, r"direct_effect is 1.*true or false"),
    (MODEL + 'direct_effect = "true"\n' + DATA + MEDIATOR, r"direct_effect is 'true'.*true or"),
    ('model = "site_slope"\n' + DATA + MEDIATOR, r"model is 'site_slope'.*section"),
    ("[[model]]\n" + DATA + MEDIATOR, r"model is .*section"),
    (MODEL + 'correlation = "0.3"\n' + DATA + MEDIATOR, r"correlation is '0\.3'.*without quotes"),
    (
        MODEL + "correlation = 1.0\n" + DATA + MEDIATOR,
        r"\[model\].*correlation is 1\.0.*\(-1, 1|less",
    ),
    (
        MODEL + 'correlation = { distribution = "Normal", sigma = 1 }\n' + DATA + MEDIATOR,
        r"\[model\].*correlation allows values outside",
    ),
    (
        MODEL + 'correlation = { distribution = "Uniform", low = 0 }\n' + DATA + MEDIATOR,
        r"'model\.correlation\.low' is not known.*'lower'",
    ),
    (MODEL + 'covariates = "year"\n' + DATA + MEDIATOR, r"model\.covariates is 'year'.*list"),
    (
        MODEL + 'covariates = ["yea"]\n' + DATA + 'covariates = ["year"]\n' + MEDIATOR,
        r"model\.covariates names 'yea', which is no covariate.*'year'",
    ),
    (MODEL + "interaction = 1\n" + DATA + MEDIATOR, r"model\.interaction is 1.*true or false"),
    (
        MODEL + 'direct_effect_distribution = "cauchy"\n' + DATA + MEDIATOR,
        r"\[model\].*'cauchy'.*'normal'",
    ),
    (
        MODEL + "direct_effect = false\ncorrelation = 0.2\n" + DATA + MEDIATOR,
        r"\[model\]: correlation describes direct effects",
    ),
    (MODEL, r"data is missing"),
    (MODEL + DATA, r"data\.mediators is missing"),
    (MODEL + DATA + 'mediators = "effort"\n', r"data\.mediators is 'effort'.*\[\[data\.mediators"),
    (MODEL + DATA + "mediators = []\n", r"data\.mediators is missing"),
    (MODEL + DATA + "mediators = [1]\n", r"data\.mediators is \[1\]"),
    (MINIMAL.replace('name = "effort"\n', ""), r"data\.mediators\[0\]\.name is missing"),
    (MINIMAL.replace('effect = "gamma_hat"\n', ""), r"data\.mediators\[0\]\.effect is missing"),
    (MINIMAL.replace('"gamma_se"', "0.5"), r"data\.mediators\[0\]\.se is 0\.5.*quotes"),
    (MINIMAL + 'interval = ["a", "b"]\n', r"data\.mediators\[0\].*both a standard error"),
    (MINIMAL + "interval = 3\n", r"data\.mediators\[0\]\.interval is 3"),
    (MINIMAL.replace('se = "gamma_se"', 'interval = ["a"]'), r"interval is \['a'\].*two columns"),
    (MINIMAL.replace('se = "gamma_se"\n', ""), r"data\.mediators\[0\].*no standard error"),
    (MINIMAL + 'cov = "a"\ncorr = "b"\n', r"both a `cov` and a `corr`"),
    (MINIMAL + MEDIATOR + 'sd = "x"\n', r"'data\.mediators\[1\]\.sd' is not known"),
    (MINIMAL + MEDIATOR, r"\[data\].*'effort'"),
    (MINIMAL.replace('total_effect = "tau_hat"\n', ""), r"data\.total_effect is missing"),
    (MINIMAL.replace("total_effect =", "total_efect ="), r"total_efect' is not.*'total_effect'"),
    (MINIMAL.replace('total_effect_se = "tau_se"\n', ""), r"total effect has no standard error"),
    (MODEL + DATA + "outcome = 3\n" + MEDIATOR, r"data\.outcome is 3"),
    (MODEL + DATA + 'outcome = ""\n' + MEDIATOR, r"data\.outcome is ''.*Fill it in"),
    (MODEL + DATA + 'covariates = "x"\n' + MEDIATOR, r"data\.covariates is 'x'.*list"),
    (MODEL + DATA + 'covariates = ["x", 2]\n' + MEDIATOR, r"data\.covariates is"),
    (MODEL + DATA + "where = 3\n" + MEDIATOR, r"data\.where is 3.*where = "),
    (MODEL + DATA + "where = { a = 1.5 }\n" + MEDIATOR, r"data\.where\.a is 1\.5.*in quotes"),
    (MODEL + DATA + "where = { a = true }\n" + MEDIATOR, r"data\.where\.a is true.*in quotes"),
    (MODEL + DATA + 'dataset = "berkey1998"\n' + MEDIATOR, r"also names a file"),
    (MINIMAL.replace('file = "sites.csv"', 'dataset = "berkey"'), r"'berkey'.*'berkey1998'"),
    (MINIMAL.replace("sites.csv", "a\\u0000b"), r"data\.file.*Control characters"),
    (MINIMAL.replace("effort", "\\u001b[31mred"), r"name is .*Control characters"),
    (MINIMAL.replace("effort", "e" * 4001), r"name has 4001 characters"),
    (MINIMAL + '[[data.covariances]]\nfirst = "effort"\n', r"covariances\[0\]\.second is missing"),
    (
        MINIMAL + BETWEEN.replace("arm =", "arms ="),
        r"'data\.arm_covariances\[0\]\.arms' is not known",
    ),
    (MINIMAL + "[[data.arm_covariances]]\n" + GRID, r"arm_covariances\[0\]\.arm is missing"),
    (MINIMAL + BETWEEN.replace('"letter"', "1"), r"arm_covariances\[0\]\.arm is 1.*quotes"),
    (MINIMAL + BETWEEN.replace(GRID, ""), r"\[0\]\.columns is missing.*columns = \[\["),
    (MINIMAL + BETWEEN.replace(GRID, 'columns = ["a", "b"]'), r"columns is .*list of lists"),
    (MINIMAL + BETWEEN.replace('"gt"', "2"), r"\[0\]\.columns is .*list of lists"),
    (MINIMAL + BETWEEN.replace('"gt"', '" "'), r"\[0\]\.columns is .*Fill it in"),
    (MINIMAL + BETWEEN, r"study\.toml, \[data\].*no column for `arm`"),
    (
        MODEL + DATA + ARMS + MEDIATOR + BETWEEN.replace(', "tt"', ""),
        r"\[data\].*'letter' are not 2 × 2 columns",
    ),
    ("priors = 3\n" + MINIMAL, r"priors is 3.*\[priors\.slope\]"),
    (MINIMAL + "[priors]\nslope = 1\n", r"priors\.slope is 1.*\[priors\.slope\]"),
    (MINIMAL + "[priors.slope]\nsigma = 1\n", r"priors\.slope\.distribution is missing"),
    (MINIMAL + '[priors.slop]\ndistribution = "Normal"\nsigma = 1\n', r"\[priors\].*'slope'"),
    (MINIMAL + '[priors.slope]\ndistribution = "Normall"\n', r"\[priors\.slope\].*'Normal'"),
    (MINIMAL + '[priors.slope]\ndistribution = "os.system"\n', r"\[priors\.slope\].*no prior"),
    (MINIMAL + '[priors.slope]\ndistribution = "__class__"\n', r"\[priors\.slope\].*no prior"),
    (MINIMAL + '[priors.slope]\ndistribution = "Normal"\n', r"\[priors\.slope\].*needs sigma"),
    (MINIMAL + '[priors.slope]\ndistribution = "Normal"\nsd = 1\n', r"'priors\.slope\.sd' is not"),
    (MINIMAL + '[priors.slope]\ndistribution = "Normal"\nsigma = 0\n', r"sigma.*greater than 0"),
    (MINIMAL + '[priors.slope]\ndistribution = "Normal"\nsigma = nan\n', r"slope\.sigma is nan"),
    (MINIMAL + '[priors.slope]\ndistribution = "Normal"\nsigma = -inf\n', r"sigma is -inf"),
    (MINIMAL + '[priors.slope]\ndistribution = "Normal"\nsigma = "1"\n', r"sigma is '1'.*without"),
    (MINIMAL + '[priors.slope]\ndistribution = "Normal"\nsigma = true\n', r"sigma is true.*number"),
    (
        MINIMAL + f'[priors.slope]\ndistribution = "Normal"\nsigma = {"9" * 400}\n',
        r"sigma is 999.*finite",
    ),
    (
        MINIMAL + '[priors.slope]\ndistribution = "Normal"\nsigma = 1\nunit = "metres"\n',
        r"\[priors\.slope\].*'metres'.*scaled",
    ),
    (
        MINIMAL + '[priors.direct_effect_sd]\ndistribution = "Normal"\nsigma = 1\n',
        r"\[priors\].*direct_effect_sd.*negative",
    ),
    ("sampler = 1\n" + MINIMAL, r"sampler is 1.*section"),
    (MINIMAL + "[sampler]\ndraw = 10\n", r"'sampler\.draw' is not known.*'draws'"),
    (MINIMAL + "[sampler]\ndraws = 10.0\n", r"sampler\.draws is 10\.0.*whole number"),
    (MINIMAL + "[sampler]\ndraws = true\n", r"sampler\.draws is true.*whole number"),
    (MINIMAL + "[sampler]\ndraws = -5\n", r"sampler\.draws is -5.*whole number"),
    (MINIMAL + '[sampler]\nengine = "gibbs"\n', r"\[sampler\].*'gibbs'"),
    (MINIMAL + "[sampler]\ntarget_accept = 1.5\n", r"\[sampler\].*target_accept"),
    (MINIMAL + "[sampler]\nseed = -1\n", r"sampler\.seed is -1"),
    (MINIMAL + "[sampler]\nseed = 4294967296\n", r"sampler\.seed is 4294967296"),
    ("title = 3\n" + MINIMAL, r"title is 3.*quotes"),
    ('title = "two\\nlines"\n' + MINIMAL, r"title.*line breaks"),
    ('assumptions = "one"\n' + MINIMAL, r"assumptions is 'one'.*list"),
    ("title = 1979-05-27\n" + MINIMAL, r"title is .*quotes"),
    (MODEL + MODEL + DATA + MEDIATOR, r"not valid TOML.*line 3"),
    ("this is no TOML", r"not valid TOML.*line 1"),
    ("x = " + "[" * 50_000, r"nesting too large"),
    ("x = " + "9" * 5000, r"number or a nesting too large"),
    ("", r"model is missing"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_card_is_refused_by_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CardError) as caught:
        load_card(write(tmp_path, text))
    assert re.search(message, str(caught.value), re.DOTALL), str(caught.value)
    assert str(caught.value).startswith("study.toml")
    assert caught.value.remedy.strip()
    assert len(str(caught.value)) < 700


def test_what_is_not_a_card_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"title = 'a'\n\xff\xfe\x00")
    with pytest.raises(CardError, match=r"binary\.toml, line 2.*UTF-8"):
        load_card(binary)
    with pytest.raises(CardError, match="is a folder"):
        load_card(tmp_path)
    large = write(tmp_path, "# " + "x" * 300_000, "large.toml")
    with pytest.raises(CardError, match="larger than a model card"):
        load_card(large)
    with pytest.raises(CardError, match=r"cannot be read|no model card"):
        load_card("a\0b.toml")
    with pytest.raises(CardError, match=r"no model card.*bayesmed new"):
        load_card(tmp_path / "absent" / "card.toml")


def test_a_missing_card_offers_the_nearest_one(tmp_path: Path) -> None:
    write(tmp_path, MINIMAL, "turnout.toml")
    with pytest.raises(CardError, match=r"no model card.*'turnout\.toml'"):
        load_card(tmp_path / "turnou.toml")


def test_nothing_in_a_card_is_evaluated(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    code = f"__import__('pathlib').Path({str(trap)!r}).touch()"
    card = MINIMAL.replace("effort", code).replace("gamma_hat", "{{" + code + "}}")
    loaded = load_card(write(tmp_path, card))
    assert loaded.data.columns.mediators[0].name == code
    assert not trap.exists()
