//! Goal: a model file is either exactly what was written or a precise error; nothing in between, and never a panic.
//! Method: every fault by hand, every bit flipped, every truncation, and seeded mutation of payloads behind a right checksum.
mod random;

use random::{Dice, any_model, dense, model};
use sha2::{Digest, Sha256};
use tickline_model::file::{HEADER_BYTES, decode, encode, load, save};
use tickline_model::{Activation, Architecture, Fault, Layer, Model, Program};

fn small() -> Model {
    let mut net = Architecture::over_window(3, 2);
    for layer in [Layer::Flatten, dense(4, Activation::Swish), dense(3, Activation::Softmax)] {
        net.then(layer);
    }
    let mut small = model(net, 1);
    small.classes = ["down", "flat", "up"].map(str::to_owned).to_vec();
    small.horizon = 50;
    small.training.text = "trained by hand".into();
    small.training.seed = 7;
    small
}

/// The payload with its header and checksum renewed.
fn sealed(payload: &[u8]) -> Vec<u8> {
    let mut bytes = b"TICKMODL\x01\0\0\0\x40\0\0\0".to_vec();
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&Sha256::digest(payload));
    bytes.extend_from_slice(payload);
    bytes
}

fn fault_of(bytes: &[u8]) -> Fault {
    decode(bytes).expect_err("a damaged file").fault
}

#[test]
fn what_is_written_is_read_back() {
    let mut dice = Dice(3);
    for _ in 0..60 {
        let written = any_model(&mut dice);
        let bytes = encode(&written).expect("valid");
        assert_eq!(bytes, encode(&written).expect("valid"), "the same model gives the same bytes");
        let read = decode(&bytes).expect("just written");
        assert_eq!(read.model, written);
        let digest = Sha256::digest(&bytes[HEADER_BYTES..]);
        assert_eq!(read.hash.to_be_bytes(), digest[..8]);
    }
}

#[test]
fn each_fault_of_the_container_has_its_own_code() {
    let good = encode(&small()).expect("valid");
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    assert_eq!(fault_of(b""), Fault::Magic);
    assert_eq!(fault_of(b"#!/bin/sh"), Fault::Magic);
    assert_eq!(fault_of(&with(0, b't')), Fault::Magic);
    assert_eq!(fault_of(&with(8, 2)), Fault::Version);
    assert_eq!(fault_of(&with(12, 65)), Fault::Version);
    assert_eq!(fault_of(&with(30, 1)), Fault::Version);
    assert_eq!(fault_of(&with(16, good[16] ^ 1)), Fault::Length);
    assert_eq!(fault_of(&good[..40]), Fault::Length);
    assert_eq!(fault_of(&good[..good.len() - 1]), Fault::Length);
    assert_eq!(fault_of(&[&good[..], b"\0"].concat()), Fault::Length);
    assert_eq!(fault_of(&with(40, good[40] ^ 1)), Fault::Checksum);
    assert_eq!(fault_of(&with(good.len() - 1, good[good.len() - 1] ^ 1)), Fault::Checksum);
    assert_eq!(fault_of(&sealed(b"")), Fault::Payload);
    assert_eq!(fault_of(&sealed(b"\x04\0\0\0TLFE")), Fault::Payload);
    assert_eq!(fault_of(&sealed(b"\xff\xff\xff\xffTLMO")), Fault::Payload);
}

#[test]
fn every_flipped_bit_and_every_truncation_is_found() {
    let good = encode(&small()).expect("valid");
    for at in 0..good.len() {
        assert!(decode(&good[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            assert!(decode(&bytes).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn faults_of_the_model_are_found_before_it_is_written() {
    let breach = |change: &dyn Fn(&mut Model)| {
        let mut model = small();
        change(&mut model);
        encode(&model).expect_err("a breach").fault
    };
    assert_eq!(breach(&|m| m.parameters[3] = f32::NAN), Fault::NotFinite);
    assert_eq!(breach(&|m| m.parameters[3] = f32::INFINITY), Fault::NotFinite);
    assert_eq!(breach(&|m| m.parameters.truncate(9)), Fault::Shape);
    assert_eq!(breach(&|m| m.classes.truncate(2)), Fault::Shape);
    assert_eq!(breach(&|m| m.architecture.nodes.clear()), Fault::Layer);
    assert_eq!(breach(&|m| m.contract.scale[0] = 0.0), Fault::Contract);
    assert_eq!(breach(&|m| m.contract.window = 3), Fault::Contract);
    assert_eq!(breach(&|m| m.architecture.nodes[1].inputs = vec![2]), Fault::Layer);
    assert_eq!(breach(&|m| m.reach = vec![f32::NAN]), Fault::NotFinite);
}

/// Builds payloads the writer would never write, with the reader's own schema numbers.
#[test]
fn hostile_layers_and_tensors_have_their_own_codes() {
    let good = encode(&small()).expect("valid");
    let payload = &good[HEADER_BYTES..];
    // Little-endian 6, 4: the shape of the first dense layer's weight; 4 alone its outputs. Changed in place they no longer fit each other.
    let place = |needle: &[u8]| {
        payload.windows(needle.len()).position(|window| window == needle).expect("in the payload")
    };
    let patched = |at: usize, bytes: &[u8]| {
        let mut payload = payload.to_vec();
        payload[at..at + bytes.len()].copy_from_slice(bytes);
        fault_of(&sealed(&payload))
    };
    let shape = place(&[2, 0, 0, 0, 6, 0, 0, 0, 4, 0, 0, 0]);
    assert_eq!(patched(shape + 4, &[7]), Fault::Shape);
    assert_eq!(patched(shape + 4, &[0xff; 4]), Fault::Shape);
    assert_eq!(patched(shape, &[0xff, 0xff]), Fault::Payload);
    let sizes: Vec<usize> = (0..payload.len() - 8)
        .filter(|at| at % 4 == 0 && payload[*at..*at + 8] == [1, 0, 0, 0, 4, 0, 0, 0])
        .collect();
    let faults: Vec<Fault> = sizes.iter().map(|at| patched(at + 4, &[7])).collect();
    assert!(faults.contains(&Fault::Shape), "{faults:?}");
    let negative: Vec<Fault> = sizes.iter().map(|at| patched(at + 4, &[0xff; 4])).collect();
    assert!(negative.contains(&Fault::Layer), "{negative:?}");
    assert_eq!(patched(place(b"weight"), b"W"), Fault::Shape);
    let nan = place(&small().parameters[0].to_le_bytes());
    assert_eq!(patched(nan, &f32::NAN.to_le_bytes()), Fault::NotFinite);
    let mean = place(&small().contract.mean[0].to_le_bytes());
    assert_eq!(patched(mean, &f32::NEG_INFINITY.to_le_bytes()), Fault::NotFinite);
    let name = place(b"level.1");
    assert_eq!(patched(name + 6, b"0"), Fault::Contract);
}

#[test]
fn mutated_payloads_behind_a_right_checksum_never_panic() {
    let mut dice = Dice(0x5eed);
    let (mut refused, mut taken) = (0, 0);
    let goods: Vec<Vec<u8>> = (0..12).map(|_| encode(&any_model(&mut dice)).expect("valid")).collect();
    for round in 0..60_000 {
        let good = &goods[dice.below(goods.len())][HEADER_BYTES..];
        // Structure sits at both ends of a FlatBuffers file, weights in between: most mutations go to the ends.
        let mut payload = good.to_vec();
        for _ in 0..1 + dice.below(4) {
            let reach = if dice.below(4) == 0 { payload.len() } else { payload.len().min(700) };
            let at = dice.below(reach);
            payload[at] = match dice.below(4) {
                0 => dice.next() as u8,
                1 => payload[at] ^ 1 << dice.below(8),
                2 => 0xff,
                _ => 0,
            };
        }
        if dice.below(8) == 0 {
            payload.truncate(dice.below(payload.len()));
        }
        match decode(&sealed(&payload)) {
            Ok(loaded) => {
                taken += 1;
                // Whatever is accepted must be whole: it can be laid out and packed.
                let plan =
                    Program::new(&loaded.model).unwrap_or_else(|error| panic!("round {round}: {error}"));
                assert!(plan.outputs() >= 1);
            }
            Err(error) => {
                refused += 1;
                assert!(!error.text.is_empty());
            }
        }
    }
    assert!(
        refused > 1_000 && taken > 1_000,
        "the mutations must reach both outcomes: {refused} refused, {taken} taken"
    );
}

#[test]
fn files_are_written_whole_and_missing_ones_are_named() {
    let folder = std::env::temp_dir().join(format!("tickline-model-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let path = folder.join("small.tlm");
    let hash = save(&path, &small()).expect("written");
    let loaded = load(&path).expect("read");
    assert_eq!((loaded.hash, loaded.model), (hash, small()));
    let missing = load(&folder.join("none.tlm")).expect_err("no such file");
    assert_eq!(missing.fault, Fault::Io);
    assert!(missing.text.contains("none.tlm"));
    std::fs::write(&path, b"").expect("emptied");
    let empty = load(&path).expect_err("an empty file");
    assert!(empty.fault == Fault::Magic && empty.text.contains("small.tlm"));
    std::fs::remove_dir_all(&folder).expect("removed");
}
