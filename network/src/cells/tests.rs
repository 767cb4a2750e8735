use super::*;
use crate::description::Distribution;

fn with(changes: &[(&str, Value)]) -> BTreeMap<String, Value> {
    Cell::IfCurrExp.complete_params(changes.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
}

fn check(changes: &[(&str, Value)]) -> Result<(), ParamError> {
    validate_params(Cell::IfCurrExp, 2, &with(changes))
}

#[test]
fn entries_are_consistent() {
    for cell in Cell::ALL {
        let entry = cell.entry();
        assert_eq!(entry.cell, Some(cell));
        assert_eq!(find(entry.name), Some(entry));
        // The name in a description is the name in the catalogue: it is what serde writes.
        assert_eq!(format!("{cell:?}").to_lowercase(), entry.name.replace('_', "").to_lowercase());
        assert_eq!(validate_params(cell, 3, &cell.default_params()), Ok(()));
        let initial = cell.complete_initial(&cell.default_params(), BTreeMap::new());
        assert_eq!(validate_initial(cell, 3, &initial), Ok(()));
        let v = match cell {
            Cell::EifCondExpIsfaIsta | Cell::EifCondAlphaIsfaIsta => -70.6,
            Cell::Izhikevich => -70.0,
            _ => -65.0,
        };
        assert_eq!(initial["v"], Value::Constant(v));
        assert!(entry.parameters.iter().all(|p| entry.state_variable(p.name).is_none()), "values::of_population");
    }
    let mut all: Vec<_> = names().chain(NOT_YET.iter().copied()).collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
    assert_eq!(find("SpikeSourcePoisson").and_then(|e| e.parameter("rate")).map(|p| p.unit), Some("Hz"));
}

#[test]
fn potential_starts_at_rest() {
    let params = with(&[("v_rest", Value::Constant(-70.0))]);
    let initial = Cell::IfCurrExp.complete_initial(&params, BTreeMap::new());
    assert_eq!(initial["v"], Value::Constant(-70.0));
    let given = BTreeMap::from([("v".to_string(), Value::Constant(-60.0))]);
    let initial = Cell::IfCurrExp.complete_initial(&params, given);
    assert_eq!((&initial["v"], &initial["isyn_exc"]), (&Value::Constant(-60.0), &Value::Constant(0.0)));
}

#[test]
fn wrong_parameters_are_refused() {
    let unknown = check(&[("tau", Value::Constant(1.0))]);
    assert!(unknown.is_err_and(|e| e.parameter() == "tau" && e.to_string().contains("tau_m, tau_refrac")));
    for (name, value) in [("cm", 0.0), ("tau_m", -1.0), ("tau_syn_E", 0.0), ("tau_refrac", -0.1)] {
        let error = check(&[(name, Value::Constant(value))]);
        assert!(matches!(&error, Err(ParamError::OutOfRange { name: n, .. }) if n == name), "{error:?}");
    }
    assert!(matches!(check(&[("cm", Value::Constant(f64::NAN))]), Err(ParamError::Value { .. })));
    assert!(matches!(check(&[("cm", Value::List(vec![1.0]))]), Err(ParamError::Value { .. })));
    let drawn = Value::Random(Distribution::Normal { mu: 1.0, sigma: 0.2 });
    assert!(check(&[("cm", drawn)]).is_err_and(|e| e.to_string().contains("normal_clipped")));
    let clipped = Value::Random(Distribution::NormalClipped { mu: 1.0, sigma: 0.2, low: 0.1, high: 2.0 });
    assert_eq!(check(&[("cm", clipped)]), Ok(()));
    let mut incomplete = with(&[]);
    incomplete.remove("cm");
    let missing = validate_params(Cell::IfCurrExp, 2, &incomplete);
    assert_eq!(missing, Err(ParamError::Missing { cell: "IF_curr_exp", name: "cm" }));
    let initial = BTreeMap::from([("u".to_string(), Value::Constant(0.0))]);
    assert!(matches!(validate_initial(Cell::IfCurrExp, 2, &initial), Err(ParamError::Unknown { .. })));
}

#[test]
fn reset_lies_below_threshold() {
    let high = |v| ("v_reset", Value::Constant(v));
    assert!(matches!(check(&[high(-50.0)]), Err(ParamError::ResetAboveThreshold { .. })));
    let lists =
        |reset: [f64; 2]| [("v_reset", Value::List(reset.to_vec())), ("v_thresh", Value::List(vec![-50.0, -40.0]))];
    assert_eq!(check(&lists([-60.0, -45.0])), Ok(()));
    assert!(matches!(check(&lists([-60.0, -40.0])), Err(ParamError::ResetAboveThreshold { .. })));
}

#[test]
fn adaptive_exponential_cells_peak_above_threshold() {
    let cell = Cell::EifCondExpIsfaIsta;
    let check = |changes: &[(&str, f64)]| {
        let changes = changes.iter().map(|(name, value)| (name.to_string(), Value::Constant(*value)));
        validate_params(cell, 2, &cell.complete_params(changes.collect()))
    };
    assert_eq!(check(&[("v_reset", -45.0)]), Ok(()));
    assert!(check(&[("v_reset", -40.0)]).is_err_and(|e| e.to_string().contains("below v_spike")));
    assert!(check(&[("v_spike", -50.5)]).is_err_and(|e| e.parameter() == "v_spike"));
    assert!(check(&[("delta_T", 0.0), ("v_reset", -45.0)]).is_err_and(|e| e.to_string().contains("below v_thresh")));
    assert!(check(&[("delta_T", 0.01)]).is_err_and(|e| e.parameter() == "delta_T"));
}

#[test]
fn izhikevich_resets_below_its_peak() {
    let c = |c| validate_params(Cell::Izhikevich, 1, &Cell::Izhikevich.complete_params([("c".into(), c)].into()));
    assert_eq!(c(Value::Constant(29.0)), Ok(()));
    assert!(c(Value::Constant(30.0)).is_err_and(|e| e.parameter() == "c" && e.to_string().contains("is 30 mV")));
    assert!(c(Value::List(vec![31.0])).is_err());
}
