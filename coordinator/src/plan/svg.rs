//! A layered drawing of the network.
//!
//! ```text
//!   column 0            gap            column 1
//!  ┌ component ───┐              ┌ component ───┐
//!  │ ┌──────────┐ │              │ ┌──────────┐ │
//!  │ │population├─┼── forward ───┼►│population├─┼─┐
//!  │ └────┬─▲───┘ │              │ └──▲───────┘ │ │
//!  │      └─┘inner│              │    └─────────┼─┼─┐
//!  └──────────────┘              └──────────────┘ │ │
//!       ▲                                         │ │
//!       └──────────── backward, below ────────────┘ ▼
//! ```
//!
//! Components stand in columns by their distance from the sources. Arrows to the next column are curves, arrows within
//! a component run in lanes to the right of its populations, all others run below the boxes.

use std::fmt::Write;

use super::graph::{Arrow, Graph, Kind};

const CHAR: f64 = 7.2;
const NODE_GAP: f64 = 18.0;
const PAD: f64 = 16.0;
const HEAD: f64 = 28.0;
const SLOT: f64 = 15.0;
const LANE: f64 = 20.0;
const STYLE: &str = "text{font:12px sans-serif;fill:#222}.head{font-weight:bold}.small{font-size:11px;fill:#555}\
.component{fill:#f4f6f8;stroke:#9aa5b1}.node{fill:#fff;stroke:#52606d}.stimulus{fill:#fff8e6}\
.arrow{fill:none;stroke:#3e4c59;marker-end:url(#tip)}.connection{stroke-dasharray:5 3}.signal{stroke-width:2.2}.messages{stroke-dasharray:1 3}\
.label{font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}";

#[derive(Clone, Copy, Default)]
struct Rect {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

/// How an arrow is routed.
#[derive(Clone, Copy, PartialEq)]
enum Route {
    Forward,
    Inner,
    Below,
}

struct Layout {
    components: Vec<Rect>,
    nodes: Vec<Rect>,
    routes: Vec<Route>,
    /// Lane of each inner arrow.
    lanes: Vec<usize>,
    width: f64,
    height: f64,
}

impl Graph {
    /// An SVG picture, complete in itself.
    pub fn svg(&self) -> String {
        draw(self)
    }
}

fn draw(graph: &Graph) -> String {
    let layout = Layout::new(graph);
    let mut body = String::new();
    for ((name, simulator), rect) in graph.components.iter().zip(&layout.components) {
        _ = writeln!(body, "{}", rect.tag("component", 8.0));
        let (x, y) = (rect.x + PAD, rect.y + 19.0);
        _ = writeln!(body, "<text class=\"head\" x=\"{x:.1}\" y=\"{y:.1}\">{} ({simulator})</text>", escape(name));
    }
    for (node, rect) in graph.nodes.iter().zip(&layout.nodes) {
        let class = if node.stimulus { "node stimulus" } else { "node" };
        _ = writeln!(body, "{}", rect.tag(class, if node.stimulus { rect.h.min(40.0) / 2.0 } else { 3.0 }));
        let (x, y) = (rect.x + 12.0, rect.y + rect.h / 2.0);
        let recorded = if node.recorded { ", recorded" } else { "" };
        _ = writeln!(body, "<text x=\"{x:.1}\" y=\"{:.1}\">{}</text>", y - 3.0, escape(&node.name));
        let kind = escape(&format!("{}{recorded}", node.kind));
        _ = writeln!(body, "<text class=\"small\" x=\"{x:.1}\" y=\"{:.1}\">{kind}</text>", y + 12.0);
    }
    let height = layout.draw_arrows(graph, &mut body);
    let width = layout.width;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\">\n<title>{}</title>\n<style>{STYLE}</style>\n<defs><marker id=\"tip\" \
         viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerUnits=\"userSpaceOnUse\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path \
         d=\"M0 0L8 4L0 8z\" fill=\"#3e4c59\"/></marker></defs>\n<rect width=\"100%\" height=\"100%\" \
         fill=\"#fff\"/>\n{body}</svg>\n",
        escape(&graph.title)
    )
}

impl Rect {
    fn tag(&self, class: &str, round: f64) -> String {
        let Rect { x, y, w, h } = self;
        format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"{round:.1}\"/>"
        )
    }
}

impl Layout {
    fn new(graph: &Graph) -> Self {
        let columns = columns(graph);
        let component = |p: usize| graph.nodes[p].component;
        let route = |arrow: &Arrow| {
            let (from, to) = (component(arrow.from), component(arrow.to));
            match () {
                () if from == to => Route::Inner,
                () if columns[to] == columns[from] + 1 => Route::Forward,
                () => Route::Below,
            }
        };
        let routes: Vec<Route> = graph.arrows.iter().map(route).collect();
        let lanes = lanes(graph, &routes);
        let mut layout = Layout {
            components: vec![Rect::default(); graph.components.len()],
            nodes: vec![Rect::default(); graph.nodes.len()],
            lanes,
            width: 0.0,
            height: 0.0,
            routes,
        };
        layout.place(graph, &columns);
        layout
    }

    fn place(&mut self, graph: &Graph, columns: &[usize]) {
        let below = self.routes.iter().filter(|r| **r == Route::Below).count() as f64;
        let longest_label = graph.arrows.iter().map(|a| a.label.chars().count()).max().unwrap_or(0) as f64;
        let gap = 60.0 + longest_label * CHAR + below * 5.0;
        let mut x = PAD + 10.0 + below * 5.0;
        for column in 0..=columns.iter().copied().max().unwrap_or(0) {
            let mut y = 24.0;
            let mut widest: f64 = 0.0;
            for c in (0..columns.len()).filter(|&c| columns[c] == column) {
                self.place_component(graph, c, x, y);
                y += self.components[c].h + 24.0;
                widest = widest.max(self.components[c].w);
            }
            self.height = self.height.max(y);
            x += widest + gap;
        }
        self.width = x - gap + PAD + 20.0 + below * 5.0;
    }

    fn place_component(&mut self, graph: &Graph, c: usize, x: f64, y: f64) {
        let (name, simulator) = &graph.components[c];
        let nodes: Vec<usize> = (0..graph.nodes.len()).filter(|&p| graph.nodes[p].component == c).collect();
        let chars = |p: &usize| {
            let node = &graph.nodes[*p];
            node.name.chars().count().max(node.kind.chars().count() + if node.recorded { 10 } else { 0 })
        };
        let head = (name.chars().count() + simulator.chars().count() + 3) as f64 * CHAR;
        let w = (nodes.iter().map(chars).max().unwrap_or(0) as f64 * CHAR + 24.0).max(head);
        let mut below = y + HEAD;
        for &p in &nodes {
            let slots = self.slots(graph, p);
            let h = (slots.0.max(slots.1) as f64 * SLOT + 10.0).max(42.0);
            self.nodes[p] = Rect { x: x + PAD, y: below, w, h };
            below += h + NODE_GAP;
        }
        let inner = |i: &usize| self.routes[*i] == Route::Inner && graph.nodes[graph.arrows[*i].from].component == c;
        let inner: Vec<usize> = (0..graph.arrows.len()).filter(inner).collect();
        let lanes = inner.iter().map(|&i| self.lanes[i] + 1).max().unwrap_or(0) as f64;
        let label = inner.iter().map(|&i| graph.arrows[i].label.chars().count()).max().unwrap_or(0) as f64;
        let room = if inner.is_empty() { 0.0 } else { lanes * LANE + label * CHAR + 8.0 };
        self.components[c] = Rect { x, y, w: w + 2.0 * PAD + room, h: below - y };
    }

    /// How many arrow ends a node has on its left and on its right side.
    fn slots(&self, graph: &Graph, node: usize) -> (usize, usize) {
        let ends = |side| (0..graph.arrows.len()).map(|i| self.ends_at(graph, i, node, side)).sum();
        (ends(false), ends(true))
    }

    /// How many ends of arrow `i` are on a side (`right` or left) of a node.
    fn ends_at(&self, graph: &Graph, i: usize, node: usize, right: bool) -> usize {
        let arrow = &graph.arrows[i];
        let tail = usize::from(right && arrow.from == node);
        let tip = usize::from(right == (self.routes[i] == Route::Inner) && arrow.to == node);
        tail + tip
    }

    /// Height of the tail or tip of arrow `i` on its node.
    fn end_y(&self, graph: &Graph, i: usize, tip: bool) -> f64 {
        let arrow = &graph.arrows[i];
        let node = if tip { arrow.to } else { arrow.from };
        let right = !tip || self.routes[i] == Route::Inner;
        let (left_slots, right_slots) = self.slots(graph, node);
        let before: usize = (0..i).map(|k| self.ends_at(graph, k, node, right)).sum();
        let own = usize::from(tip && right && arrow.from == arrow.to);
        let slots = if right { right_slots } else { left_slots };
        let rect = self.nodes[node];
        rect.y + rect.h * ((before + own) as f64 + 0.5) / slots.max(1) as f64
    }

    /// Draws all arrows; gives the height of the picture.
    fn draw_arrows(&self, graph: &Graph, body: &mut String) -> f64 {
        let mut labels = String::new();
        let mut below = 0;
        let mut placed = Vec::new();
        for (i, arrow) in graph.arrows.iter().enumerate() {
            let (from, to) = (self.nodes[arrow.from], self.nodes[arrow.to]);
            let (x1, y1, y2) = (from.x + from.w, self.end_y(graph, i, false), self.end_y(graph, i, true));
            let (path, label) = match self.routes[i] {
                Route::Forward => forward(x1, y1, to.x, y2),
                Route::Inner => {
                    let lane = x1 + 10.0 + LANE * (self.lanes[i] as f64 + 0.5);
                    let width = arrow.label.chars().count() as f64 * CHAR;
                    inner(x1, y1, to.x + to.w, y2, lane, free_height(y1, y2, lane, width, &mut placed))
                }
                Route::Below => {
                    below += 1;
                    let sides = [arrow.from, arrow.to].map(|p| self.components[graph.nodes[p].component]);
                    let offset = 6.0 + 5.0 * below as f64;
                    let out = sides[0].x + sides[0].w + offset;
                    below_path([x1, y1, out], [to.x, y2, sides[1].x - offset], self.height + 20.0 * below as f64 - 8.0)
                }
            };
            let class = match arrow.kind {
                Kind::Projection => "arrow",
                Kind::Connection => "arrow connection",
                Kind::Signal => "arrow signal",
                Kind::Messages => "arrow messages",
            };
            _ = writeln!(body, "<path class=\"{class}\" d=\"{path}\"/>");
            let (x, y, anchor) = label;
            let text = escape(&arrow.label);
            _ = writeln!(
                labels,
                "<text class=\"label\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
            );
        }
        body.push_str(&labels);
        self.height + 20.0 * below as f64 + 8.0
    }
}

type Label = (f64, f64, &'static str);

fn forward(x1: f64, y1: f64, x2: f64, y2: f64) -> (String, Label) {
    let bend = (x2 - x1) / 2.0;
    let path = format!("M{x1:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {x2:.1} {y2:.1}", x1 + bend, x2 - bend);
    // Labels stand near the tip, where arrows to one node are apart.
    (path, (x2 - 26.0, y2 - 3.0, "end"))
}

fn inner(x1: f64, y1: f64, x2: f64, y2: f64, lane: f64, y: f64) -> (String, Label) {
    let path = format!("M{x1:.1} {y1:.1}H{lane:.1}V{y2:.1}H{x2:.1}");
    (path, (lane + 4.0, y + 4.0, "start"))
}

/// A height between `y1` and `y2` for the label of an inner arrow, where it covers none of those `placed` before; the
/// middle when there is no room.
fn free_height(y1: f64, y2: f64, x: f64, width: f64, placed: &mut Vec<(f64, f64, f64)>) -> f64 {
    let free = |y: f64| !placed.iter().any(|&(px, py, pw)| (py - y).abs() < 12.0 && px < x + width && x < px + pw);
    let fractions = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9];
    let heights = fractions.map(|fraction| y1 + (y2 - y1) * fraction);
    let y = heights.into_iter().find(|y| free(*y)).unwrap_or(heights[0]);
    placed.push((x, y, width));
    y
}

fn below_path([x1, y1, out]: [f64; 3], [x2, y2, into]: [f64; 3], bottom: f64) -> (String, Label) {
    let path = format!("M{x1:.1} {y1:.1}H{out:.1}V{bottom:.1}H{into:.1}V{y2:.1}H{x2:.1}");
    (path, ((out + into) / 2.0, bottom - 3.0, "middle"))
}

/// The column of each component: its longest distance from a source along the arrows that lead forward. In a loop,
/// arrows to a component that stands earlier in the description lead backward.
fn columns(graph: &Graph) -> Vec<usize> {
    let n = graph.components.len();
    let mut reaches = vec![vec![false; n]; n];
    let component = |p: usize| graph.nodes[p].component;
    let edges: Vec<(usize, usize)> = graph.arrows.iter().map(|a| (component(a.from), component(a.to))).collect();
    edges.iter().for_each(|&(a, b)| reaches[a][b] = true);
    for via in 0..n {
        for a in 0..n {
            (0..n).for_each(|b| reaches[a][b] |= reaches[a][via] && reaches[via][b]);
        }
    }
    let mut columns = vec![0; n];
    for _ in 0..n {
        for &(a, b) in edges.iter().filter(|&&(a, b)| a != b && (!reaches[b][a] || a < b)) {
            columns[b] = columns[b].max(columns[a] + 1);
        }
    }
    columns
}

/// A lane for each inner arrow, so that arrows that overlap in height do not overlap in their lane.
fn lanes(graph: &Graph, routes: &[Route]) -> Vec<usize> {
    let mut taken: Vec<(usize, usize, usize)> = Vec::new();
    let mut lanes = vec![0; routes.len()];
    let mut inner: Vec<usize> = (0..routes.len()).filter(|&i| routes[i] == Route::Inner).collect();
    // Short ones next to the boxes.
    inner.sort_by_key(|&i| graph.arrows[i].from.abs_diff(graph.arrows[i].to));
    for i in inner {
        let Arrow { from, to, .. } = graph.arrows[i];
        let (low, high) = (from.min(to), from.max(to));
        let free = |lane: &usize| !taken.iter().any(|&(l, a, b)| l == *lane && a <= high && low <= b);
        lanes[i] = (0..).find(free).unwrap_or_default();
        taken.push((lanes[i], low, high));
    }
    lanes
}

/// Escapes text for XML; characters that XML cannot hold become blanks.
fn escape(text: &str) -> String {
    let escape = |c: char| match c {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\'' => "&apos;".into(),
        c if c.is_control() || ('\u{fffe}'..='\u{ffff}').contains(&c) => " ".into(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}
