//! Arithmetic in strings that begin with `=`: `"= round(20683 * N_scale)"`.
//!
//! Operators `+ - * / ^` and brackets, functions, named numbers. A value is a double; what is not finite (a division
//! by zero, the logarithm of a negative number) is an error at the operation that made it. The parser is our own
//! because the messages must point at the word that is wrong, inside the string.

use std::ops::Range;

use super::nearest::nearest;

type Unary = fn(f64) -> f64;
/// Functions of one number.
const UNARY: [(&str, Unary); 8] = [
    ("sqrt", f64::sqrt),
    ("exp", f64::exp),
    ("ln", f64::ln),
    ("log10", f64::log10),
    ("round", f64::round),
    ("floor", f64::floor),
    ("ceil", f64::ceil),
    ("abs", f64::abs),
];
type Fold = fn(f64, f64) -> f64;
/// Functions of two numbers or more.
const FOLDS: [(&str, Fold); 2] = [("min", f64::min), ("max", f64::max)];
/// Brackets and signs may nest this deep; more is a mistake and would only exhaust the stack.
const DEPTH: usize = 100;

/// What is wrong with an expression, and where in its text.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct ExpressionError {
    pub message: String,
    pub range: Range<usize>,
    pub help: Option<String>,
}

/// The value of `text` with names looked up in `names`.
pub(super) fn evaluate(text: &str, names: &dyn Names) -> Result<f64, ExpressionError> {
    let mut parser = Parser { text, at: 0, names, depth: 0 };
    let value = parser.sum()?;
    parser.skip_space();
    if parser.at < text.len() {
        let rest = parser.at..parser.at + parser.peek().map_or(0, char::len_utf8);
        return Err(error(format!("`{}` is not expected here", &text[rest.clone()]), rest)
            .with_help("an expression is numbers, names, + - * / ^, brackets and functions such as round(x)"));
    }
    Ok(value)
}

/// Where an expression finds its named numbers.
pub(super) trait Names {
    /// The number called `name`.
    fn number(&self, name: &str) -> Option<f64>;
    /// All names, to suggest the nearest.
    fn all(&self) -> Vec<String>;
    /// A better remedy for an unknown name than the nearest one.
    fn hint(&self, _name: &str) -> Option<String> {
        None
    }
}

fn error(message: String, range: Range<usize>) -> ExpressionError {
    ExpressionError { message, range, help: None }
}

impl ExpressionError {
    fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    names: &'a dyn Names,
    depth: usize,
}

type Result1 = Result<f64, ExpressionError>;

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip_space(&mut self) {
        while let Some(c) = self.peek().filter(|c| c.is_whitespace()) {
            self.at += c.len_utf8();
        }
    }

    /// Takes the next character if it is one of `wanted`; where it stood comes with it.
    fn take(&mut self, wanted: &[char]) -> Option<(char, Range<usize>)> {
        self.skip_space();
        let c = self.peek().filter(|c| wanted.contains(c))?;
        self.at += c.len_utf8();
        Some((c, self.at - c.len_utf8()..self.at))
    }

    fn finite(&self, value: f64, range: Range<usize>, what: &str) -> Result1 {
        if value.is_finite() {
            return Ok(value);
        }
        Err(error(format!("{what} has no finite value here"), range)
            .with_help("check the numbers that go in; a parameter may be 0, or negative under sqrt or ln"))
    }

    fn sum(&mut self) -> Result1 {
        let start = self.start();
        let mut value = self.product()?;
        while let Some((operator, _)) = self.take(&['+', '-']) {
            let right = self.product()?;
            value = if operator == '+' { value + right } else { value - right };
            value = self.finite(value, start..self.at, "this sum")?;
        }
        Ok(value)
    }

    fn product(&mut self) -> Result1 {
        let start = self.start();
        let mut value = self.sign()?;
        while let Some((operator, at)) = self.take(&['*', '/']) {
            let right = self.sign()?;
            if operator == '/' && right == 0.0 {
                return Err(error("division by zero".to_string(), at.start..self.at)
                    .with_help("the expression after `/` is 0 with the present parameters"));
            }
            value = if operator == '*' { value * right } else { value / right };
            value = self.finite(value, start..self.at, "this product")?;
        }
        Ok(value)
    }

    fn sign(&mut self) -> Result1 {
        self.nest(|parser| match parser.take(&['+', '-']) {
            Some(('-', _)) => Ok(-parser.sign()?),
            Some(_) => parser.sign(),
            None => parser.power(),
        })
    }

    /// `a ^ b`, from right to left, and stronger than a sign on its left: -2^2 is -4.
    fn power(&mut self) -> Result1 {
        let start = self.start();
        let base = self.atom()?;
        if self.take(&['^']).is_none() {
            return Ok(base);
        }
        let exponent = self.sign()?;
        self.finite(base.powf(exponent), start..self.at, "this power")
    }

    fn atom(&mut self) -> Result1 {
        if let Some((_, open)) = self.take(&['(']) {
            let value = self.nest(Self::sum)?;
            return self.close(open).map(|()| value);
        }
        match self.peek() {
            Some(c) if c.is_ascii_digit() || c == '.' => self.literal(),
            Some(c) if c.is_alphabetic() || c == '_' => self.name(),
            Some(c) => {
                Err(error(format!("a number or a name is expected, not `{c}`"), self.at..self.at + c.len_utf8()))
            }
            None => Err(error("the expression ends too early".to_string(), self.last())
                .with_help("a number or a name is missing at the end")),
        }
    }

    fn nest(&mut self, inner: impl FnOnce(&mut Self) -> Result1) -> Result1 {
        if self.depth == DEPTH {
            return Err(error(format!("more than {DEPTH} brackets or signs inside each other"), self.last()));
        }
        self.depth += 1;
        let value = inner(self);
        self.depth -= 1;
        value
    }

    fn close(&mut self, open: Range<usize>) -> Result<(), ExpressionError> {
        match self.take(&[')']) {
            Some(_) => Ok(()),
            None => Err(error("this bracket is not closed".to_string(), open).with_help("add the missing `)`")),
        }
    }

    fn literal(&mut self) -> Result1 {
        let rest = &self.text.as_bytes()[self.at..];
        let mut length = 0;
        while let Some(&b) = rest.get(length) {
            let after_exponent = length > 0 && matches!(rest[length - 1], b'e' | b'E');
            let exponent = matches!(b, b'e' | b'E')
                && rest.get(length + 1).is_some_and(|n| n.is_ascii_digit() || matches!(n, b'+' | b'-'));
            if !(b.is_ascii_digit() || b == b'.' || exponent || (after_exponent && matches!(b, b'+' | b'-'))) {
                break;
            }
            length += 1;
        }
        let range = self.at..self.at + length;
        let literal = &self.text[range.clone()];
        let value = literal.parse().map_err(|_| error(format!("`{literal}` is not a number"), range.clone()))?;
        self.at = range.end;
        self.finite(value, range, "this number")
    }

    fn name(&mut self) -> Result1 {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let range = self.at..self.at + length;
        let name = &self.text[range.clone()];
        self.at = range.end;
        if let Some((_, open)) = self.take(&['(']) {
            return self.call(name, range, open);
        }
        if name == "pi" {
            return Ok(std::f64::consts::PI);
        }
        self.names.number(name).ok_or_else(|| self.unknown_name(name, range))
    }

    fn unknown_name(&self, name: &str, range: Range<usize>) -> ExpressionError {
        let names = self.names.all();
        let help = self.names.hint(name).unwrap_or_else(|| match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "define it in [parameters]".to_string(),
            None => format!("define it in [parameters]; the names here are {}", names.join(", ")),
        });
        error(format!("`{name}` is not defined"), range).with_help(help)
    }

    fn call(&mut self, name: &str, range: Range<usize>, open: Range<usize>) -> Result1 {
        let mut arguments = vec![self.nest(Self::sum)?];
        while self.take(&[',']).is_some() {
            arguments.push(self.nest(Self::sum)?);
        }
        self.close(open)?;
        let whole = range.start..self.at;
        let count = |wanted: &str| {
            error(format!("{name} takes {wanted}, not {}", arguments.len()), whole.clone())
                .with_help("separate the numbers by commas")
        };
        if let Some((_, function)) = UNARY.iter().find(|f| f.0 == name) {
            return match arguments[..] {
                [x] => self.finite(function(x), whole, &format!("{name}({x})")),
                _ => Err(count("one number")),
            };
        }
        if let Some((_, function)) = FOLDS.iter().find(|f| f.0 == name) {
            if arguments.len() < 2 {
                return Err(count("two numbers or more"));
            }
            return Ok(arguments.iter().copied().reduce(function).unwrap_or(f64::NAN));
        }
        let known = UNARY.iter().map(|f| f.0).chain(FOLDS.iter().map(|f| f.0));
        let help = match nearest(name, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the functions are {}", known.collect::<Vec<_>>().join(", ")),
        };
        Err(error(format!("there is no function `{name}`"), range).with_help(help))
    }

    /// Where the next word starts.
    fn start(&mut self) -> usize {
        self.skip_space();
        self.at
    }

    /// The last character that is not space, to point at when something is missing.
    fn last(&self) -> Range<usize> {
        let end = self.text[..self.at].trim_end().len();
        let start = self.text[..end].char_indices().next_back().map_or(0, |(i, _)| i);
        start..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Names for Fixed {
        fn number(&self, name: &str) -> Option<f64> {
            (name == "N_scale").then_some(0.5)
        }
        fn all(&self) -> Vec<String> {
            vec!["N_scale".to_string()]
        }
    }

    #[test]
    fn values() {
        for (text, value) in [
            ("1 + 2 * 3", 7.0),
            ("(1 + 2) * 3", 9.0),
            ("-2 ^ 2", -4.0),
            ("2 ^ 3 ^ 2", 512.0),
            ("2 ^ -1", 0.5),
            ("8 / 4 / 2", 1.0),
            ("8 - 4 - 2", 2.0),
            ("1e-3 * 1E3", 1.0),
            ("round(2.5) + floor(-0.5) + ceil(0.1)", 3.0),
            ("max(1, N_scale, 3) + min(2, 1)", 4.0),
            ("round(20683 * N_scale)", 10342.0),
            ("ln(exp(2)) + log10(100) + sqrt(4) + abs(-1)", 7.0),
            ("- - 2", 2.0),
        ] {
            assert_eq!(evaluate(text, &Fixed), Ok(value), "{text}");
        }
    }

    #[test]
    fn errors_point_at_the_word() {
        for (text, wrong) in [
            ("1 + N_scal", "N_scal"),
            ("1 / (2 - 2)", "/ (2 - 2)"),
            ("2 * sqrt(-1)", "sqrt(-1)"),
            ("rond(1)", "rond"),
            ("(1 + 2", "("),
            ("1 +", "+"),
            ("1 2", "2"),
            ("1 + * 2", "*"),
            ("min(1)", "min(1)"),
            ("1e400", "1e400"),
            ("1.2.3", "1.2.3"),
            ("0 ^ -1", "0 ^ -1"),
        ] {
            let error = evaluate(text, &Fixed).expect_err(text);
            assert_eq!(&text[error.range.clone()], wrong, "{text}: {}", error.message);
        }
        assert_eq!(evaluate("N_scal", &Fixed).unwrap_err().help.as_deref(), Some("did you mean `N_scale`?"));
        assert!(evaluate(&"(".repeat(100_000), &Fixed).is_err());
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "[-+*/^() .0-9eEa-zµ,]{0,40}") {
            if let Err(error) = evaluate(&text, &Fixed) {
                assert!(text.get(error.range).is_some());
            }
        }
    }
}
