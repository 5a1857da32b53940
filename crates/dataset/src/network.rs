//! The model engine's ready-made networks by name.
use crate::error::DataError;
use tickline_model::{Activation, Architecture, zoo};

/// What can be chosen of a network; each takes what it has a use for.
#[derive(Debug, Clone, PartialEq)]
pub struct Size {
    /// Rows looked at, or, for streaming attention, states looked back at.
    pub window: usize,
    /// Units of hidden layers, first to last; empty: the network's own.
    pub hidden: Vec<usize>,
    /// Share of numbers dropped while training, 0 to below 1, where the network has dropout.
    pub dropout: f32,
    /// Classes it tells apart.
    pub classes: usize,
}

/// Names that [`network`] knows.
pub const NETWORKS: [&str; 12] = [
    "logistic",
    "mlp",
    "mlp-swish-skip",
    "lstm",
    "gru",
    "c-tabl",
    "bin-c-tabl",
    "cnn-lstm-attention",
    "cnn-lstm-attention-window",
    "deeplob",
    "deeplob-window",
    "autoencoder",
];

/// A network by name, for rows of `columns` numbers. `deeplob` and `cnn-lstm-attention` are the streaming forms.
///
/// # Errors
/// [`DataError::Data`] for an unknown name, or columns that the network is not made for.
pub fn network(name: &str, columns: usize, size: &Size) -> Result<Architecture, DataError> {
    let Size { window, hidden, dropout, classes } = size;
    let (window, classes) = (*window, *classes);
    let or = |own: &[usize]| if hidden.is_empty() { own.to_vec() } else { hidden.clone() };
    if name.starts_with("deeplob") && columns != 40 {
        return Err(DataError::Data(format!("{name} takes the 40 columns of 10 levels, not {columns}")));
    }
    Ok(match name {
        "logistic" => zoo::logistic(columns, window, classes),
        "mlp" => zoo::mlp(columns, window, &or(&[64, 64, 64]), Activation::Relu, classes, false),
        "mlp-swish-skip" => zoo::mlp(columns, window, &or(&[64, 64, 64]), Activation::Swish, classes, true),
        "lstm" => zoo::lstm(columns, &or(&[64]), classes),
        "gru" => zoo::gru(columns, &or(&[64]), classes),
        "c-tabl" => zoo::c_tabl(columns, window, classes, *dropout),
        "bin-c-tabl" => zoo::bin_c_tabl(columns, window, classes, *dropout),
        "cnn-lstm-attention" => zoo::cnn_lstm_attention_streaming(columns, window, classes),
        "cnn-lstm-attention-window" => zoo::cnn_lstm_attention(columns, window, classes),
        "deeplob" => zoo::deeplob_streaming(classes),
        "deeplob-window" => zoo::deeplob(window, classes),
        "autoencoder" => {
            let own = or(&[20, 4]);
            let (code, hidden) = own.split_last().unwrap_or((&4, &[]));
            zoo::autoencoder(columns, hidden, *code)
        }
        _ => {
            let known = NETWORKS.join(", ");
            return Err(DataError::Data(format!("{name:?} is no network; one of {known} is")));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{NETWORKS, Size, network};
    use tickline_model::Plan;

    #[test]
    fn every_name_gives_a_network_that_compiles() {
        let size = Size { window: 20, hidden: Vec::new(), dropout: 0.1, classes: 3 };
        for name in NETWORKS {
            let net = network(name, 40, &size).expect("a network");
            assert!(Plan::compile(&net).is_ok_and(|plan| plan.parameters() > 0), "{name}");
            assert_eq!(net.classifies(), name != "autoencoder", "{name}");
        }
        assert!(network("bin-c-tabl", 35, &size).is_ok());
        assert!(network("deeplob", 35, &size).expect_err("40 columns").to_string().contains("10 levels"));
        assert!(network("oracle", 40, &size).expect_err("unknown").to_string().contains("bin-c-tabl"));
    }
}
