//! What `couple plan` and `couple graph` show.

use couple_network::description::{Delay, Distribution, Interpolation, Simulator};

use super::super::Graph;
use super::{Net, net};

/// Two columns that form a loop, an input, and a program that listens.
fn column() -> Net {
    let net = net("1 s").component("E", "0.1", 2).stimulus("drive").population("I", 250, super::Model::Port);
    let net = net.component("P", "0.025", 1).on(Simulator::Nest).component("robot", "1", 1).on(Simulator::Script);
    let random = Delay::Random(Distribution::Uniform { low: 1.0, high: 3.0 });
    let net = net.projection("drive", "E", "1.5").projection("E", "I", "1.5").projection("I", "E", "1.5");
    let net = net.projection("E", "E", "1.5").projection_with("E", "P", random).projection("P", "E", "0.2");
    let mut net = net.projection("P", "P", "1.2").projection("E", "P", "2").connection("E", "robot", "5").record("E");
    for (component, name) in net.0.components.iter_mut().zip(["ctx", "detail", "arm"]) {
        component.name = name.into();
    }
    net
}

#[test]
fn the_plan_as_text() {
    insta::assert_snapshot!(column().plan().unwrap().text());
}

#[test]
fn an_empty_plan_as_text() {
    let text = net("1").component("a", "0.1", 1).plan().unwrap().text();
    assert!(text.contains("none: no spike leaves its rank") && text.contains("none: every component"), "{text}");
}

#[test]
fn a_loop_that_takes_turns_says_why() {
    let net = net("1").component("a", "0.1", 1).component("b", "0.2", 1);
    let text = net.projection("a", "b", "2").projection("b", "a", "0.1").plan().unwrap().text();
    insta::assert_snapshot!(text.split_once("Loops\n").unwrap().1);
}

#[test]
fn a_window_below_the_limit_says_what_is_possible() {
    let net = net("1").component("a", "0.1", 1).component("b", "0.1", 1);
    let text = net.projection("a", "b", "2").projection("b", "a", "1").plan_with_window("0.5").unwrap().text();
    assert!(text.contains("the window may be up to 1 ms, by `b` to `a` 1 ms"), "{text}");
}

/// A network and a program that hear each other's signals and messages.
fn body() -> Net {
    let net = net("1").component("ctx", "0.1", 2).component("body", "1", 1).on(Simulator::Script);
    let net = net.signal("ctx", "body", "1", Interpolation::Hold).signal("ctx", "body", "2", Interpolation::Linear);
    net.signal("body", "ctx", "1", Interpolation::Linear).messages("body", "ctx", "3").connection("ctx", "body", "1")
}

#[test]
fn signals_and_messages_are_shown() {
    insta::assert_snapshot!("signals", body().plan().unwrap().text());
    let graph = Graph::new(&body().0);
    insta::assert_snapshot!("signals_mermaid", graph.mermaid());
    let texts = xml_text(&graph.svg()).unwrap();
    assert!(texts.iter().any(|t| t == "x0 in mV, 1 ms; x1 in mV, 2 ms"), "{texts:?}");
}

#[test]
fn the_graph_as_mermaid_and_dot() {
    let graph = Graph::new(&column().0);
    insta::assert_snapshot!("mermaid", graph.mermaid());
    insta::assert_snapshot!("dot", graph.dot());
}

/// Reads XML without attributes' meaning: tags must match, and no bare markup may be left. Gives all text.
fn xml_text(xml: &str) -> Result<Vec<String>, String> {
    let (mut open, mut texts, mut rest) = (Vec::new(), Vec::new(), xml);
    while let Some(start) = rest.find('<') {
        let (text, tag) = rest.split_at(start);
        let end = tag.find('>').ok_or("a tag is not closed")?;
        let (inner, after) = (&tag[1..end], &tag[end + 1..]);
        if inner.contains('<') || inner.matches('"').count() % 2 != 0 {
            return Err(format!("bad tag <{inner}>"));
        }
        texts.push(text.trim().to_string());
        match (inner.strip_prefix('/'), inner.ends_with('/')) {
            (Some(name), _) if open.last() == Some(&name) => _ = open.pop(),
            (Some(name), _) => return Err(format!("</{name}> closes {open:?}")),
            (None, true) => {}
            (None, false) => open.push(inner.split(' ').next().unwrap_or(inner)),
        }
        rest = after;
    }
    let bare = |text: &String| {
        text.match_indices('&')
            .any(|(i, _)| !["&amp;", "&lt;", "&gt;", "&quot;", "&apos;"].iter().any(|e| text[i..].starts_with(e)))
    };
    if !open.is_empty() || texts.iter().any(bare) {
        return Err(format!("left open: {open:?}, or a bare &"));
    }
    Ok(texts.into_iter().filter(|t| !t.is_empty()).collect())
}

#[test]
fn the_graph_as_svg_names_everything() {
    let texts = xml_text(&Graph::new(&column().0).svg()).unwrap();
    for name in
        ["ctx (native)", "detail (nest)", "arm (script)", "E", "drive", "10 port, recorded", "1.5 ms", "2×, 1 to 3 ms"]
    {
        assert!(texts.iter().any(|t| t == name), "{name} is not in {texts:?}");
    }
}

#[test]
fn names_are_escaped() {
    let mut net = net("1").component("a", "0.1", 1).component("b", "0.1", 1).projection("a", "b", "1");
    net.0.populations[0].name = "x\"]</text><script>alert('&')</script>\\\u{1}".into();
    net.0.components[0].name = "\"; }<b>".into();
    net.0.name = "a & b".into();
    let graph = Graph::new(&net.0);
    let texts = xml_text(&graph.svg()).unwrap();
    assert!(
        texts.contains(&"x&quot;]&lt;/text&gt;&lt;script&gt;alert(&apos;&amp;&apos;)&lt;/script&gt;\\ ".trim().into())
    );
    assert!(!graph.svg().contains("<script>") && !graph.mermaid().contains("<script>"));
    assert!(graph.dot().contains(r#"x\"]</text><script>alert('&')</script>\\ "#));
    // Each line of Mermaid has its quotes in pairs.
    assert!(graph.mermaid().lines().all(|l| l.matches('"').count() % 2 == 0));
}

#[test]
fn boxes_of_the_svg_do_not_overlap() {
    let svg = Graph::new(&column().0).svg();
    let number = |tag: &str, name: &str| -> f64 {
        let start = tag.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
        tag[start..].split('"').next().unwrap().parse().unwrap()
    };
    let nodes: Vec<_> = svg.lines().filter(|l| l.starts_with("<rect class=\"node")).collect();
    assert_eq!(nodes.len(), 5);
    let rect = |tag: &str| [number(tag, "x"), number(tag, "y"), number(tag, "width"), number(tag, "height")];
    for (i, a) in nodes.iter().enumerate() {
        for b in &nodes[..i] {
            let ([ax, ay, aw, ah], [bx, by, bw, bh]) = (rect(a), rect(b));
            assert!(ax + aw <= bx || bx + bw <= ax || ay + ah <= by || by + bh <= ay, "{a} {b}");
        }
    }
    let (width, height) = (number(&svg, "width"), number(&svg, "height"));
    assert!(nodes.iter().all(|n| rect(n)[0] + rect(n)[2] < width && rect(n)[1] + rect(n)[3] < height));
}
