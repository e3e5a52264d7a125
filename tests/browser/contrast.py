"""How well text stands out from what is behind it."""

from __future__ import annotations

from playwright.sync_api import Locator

READABLE = 4.5
"""Contrast that the accessibility guidelines ask of small text."""

CONTRASTS = """root => {
    const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
    const rgba = colour => {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
        return [red, green, blue, alpha / 255];
    };
    const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
    const luminance = colour => {
        const linear = colour.map(value => value / 255)
            .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const behind = element => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) {
            layers.push(rgba(getComputedStyle(at).backgroundColor));
            if (layers.at(-1)[3] === 1) break;
        }
        return layers.reduceRight((below, top) => over(top, below), [255, 255, 255, 1]);
    };
    const worst = {};
    const compare = (name, colour, paper) => {
        const [low, high] = [luminance(over(rgba(colour), paper)), luminance(paper)].sort((a, b) => a - b);
        worst[name] = Math.min(worst[name] ?? 21, (high + 0.05) / (low + 0.05));
    };
    const seen = element => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement;
        if (!node.textContent.trim() || !seen(element) || element.closest("style, .convis-hidden")) continue;
        const [style, drawn] = [getComputedStyle(element), element instanceof SVGElement];
        const name = `${element.tagName} ${drawn ? element.className.baseVal : element.className}`;
        compare(name, drawn ? style.fill : style.color, behind(element));
    }
    for (const field of [...root.querySelectorAll("input:not([type=range]), select")].filter(seen)) {
        compare(`${field.tagName} ${field.className}`, getComputedStyle(field).color, behind(field));
        if (field.placeholder) compare("placeholder", getComputedStyle(field, "::placeholder").color, behind(field));
    }
    // what is written in colours on a canvas
    const style = getComputedStyle(root);
    const paper = rgba(style.getPropertyValue("--cv-card"));
    for (const name of ["--cv-on", "--cv-off", "--cv-muted"]) compare(name, style.getPropertyValue(name), paper);
    return worst;
}"""


def unreadable(root: Locator) -> dict[str, float]:
    """Texts that do not stand out enough from what is behind them, with their contrast."""
    contrasts: dict[str, float] = root.evaluate(CONTRASTS)
    assert len(contrasts) > 15, "there is text"
    return {name: ratio for name, ratio in contrasts.items() if ratio < READABLE}
