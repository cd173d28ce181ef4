"""``lifecircle sample``: write the made-up city as a planner's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lifecircle.cli.options import LanguageOption, language_of, reporting


def sample(
    out: Annotated[Path, typer.Argument(help="Folder for the files; made if needed. 输出文件夹。")] = Path(
        "sample-city"
    ),
    *,
    people: Annotated[
        int, typer.Option("--people", "-p", help="Size: 20,000 to 20,000,000 people. 人口规模。")
    ] = 300_000,
    seed: Annotated[int, typer.Option("--seed", "-s", help="Same seed, same city. 随机种子。")] = 1,
    language: LanguageOption = None,
) -> None:
    """Write a made-up city: layers, facilities, rasters and study.toml (生成虚构的样例城市).

    Example: lifecircle sample my-city --people 100000 --seed 7, then: lifecircle plan my-city/study.toml
    """
    spoken = language_of(language)
    with reporting(spoken):
        from lifecircle.layers.sample import make_city
        from lifecircle.layers.sample_files import write_city
        from lifecircle.layers.words import say

        city = make_city(people=people, seed=seed)
        study = write_city(city, out, spoken)
        counts = {"compounds": len(city.layers["compounds"]), "streets": len(city.layers["streets"])}
        typer.echo(say("sample.written", spoken, folder=out, people=people, **counts))
        typer.echo(say("sample.next", spoken, study=study))


if __name__ == "__main__":
    typer.run(sample)
