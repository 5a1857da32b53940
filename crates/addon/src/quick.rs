//! Functions for the path: bound to native state once, called with small integers, at little more than the cost of crossing.
//! A method of a class looks up, checks and borrows its object at every call, 200-300 ns; these do not.

use napi::bindgen_prelude::{Env, JsObjectValue, JsValue, Object, This, Unknown};
use napi::{Error, Result, sys};
use std::cell::RefCell;
use std::ffi::{CString, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::rc::Rc;

/// What a function works on, shared with the class that made it.
pub type Shared<T> = Rc<RefCell<T>>;

/// Property that keeps the class's object, and so all memory bound to it, alive as long as the function.
const OWNER: &str = "owner";

/// What a call gives JavaScript: a number, or nothing, which is `undefined` and costs nothing to make.
pub trait Given {
    fn number(self) -> Option<u32>;
}

impl Given for u32 {
    fn number(self) -> Option<u32> {
        Some(self)
    }
}

impl Given for Option<u32> {
    fn number(self) -> Option<u32> {
        self
    }
}

impl Given for () {
    fn number(self) -> Option<u32> {
        None
    }
}

/// A call on the state. The error is boxed: what is returned stays in registers.
type Call<T, R, const N: usize> = fn(&mut T, [u32; N]) -> std::result::Result<R, Box<Error>>;

struct Bound<T, R, const N: usize> {
    state: Shared<T>,
    call: Call<T, R, N>,
}

/// Makes a JavaScript function of `N` unsigned 32-bit arguments; a missing one, or one that is no number, is 0. It returns what `call`
/// gives, throws what that returns as an error, and a panic as one too. `owner` lives as long as the function.
/// @throws when JavaScript refuses to make it
pub fn function<'env, T: 'static, R: Given + 'static, const N: usize>(
    env: &'env Env,
    owner: &This<'_>,
    name: &str,
    state: &Shared<T>,
    call: Call<T, R, N>,
) -> Result<Unknown<'env>> {
    let bound = Box::into_raw(Box::new(Bound { state: state.clone(), call })).cast::<c_void>();
    let mut made = null_mut();
    let length = name.len() as isize;
    // SAFETY: `env` is of this call, the name's bytes outlive it, and `bound` is what `enter::<T, R, N>` expects.
    let status = unsafe {
        sys::napi_create_function(
            env.raw(),
            name.as_ptr().cast(),
            length,
            Some(enter::<T, R, N>),
            bound,
            &mut made,
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: made above, and nobody else has it.
        drop(unsafe { Box::from_raw(bound.cast::<Bound<T, R, N>>()) });
        return Err(Error::from_reason(format!("the function {name} cannot be made")));
    }
    // SAFETY: the function is new; its finalizer runs once, after its last call.
    unsafe {
        sys::napi_add_finalizer(env.raw(), made, bound, Some(leave::<T, R, N>), null_mut(), null_mut())
    };
    let mut object = Object::from_raw(env.raw(), made);
    object.set_named_property(OWNER, owner.object)?;
    Ok(object.to_unknown())
}

unsafe extern "C" fn enter<T, R: Given, const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let mut count = N;
    let mut arguments = [null_mut(); N];
    let mut data = null_mut();
    // SAFETY: all pointers are to locals; `count` says how many arguments there is room for.
    unsafe { sys::napi_get_cb_info(env, info, &mut count, arguments.as_mut_ptr(), null_mut(), &mut data) };
    // SAFETY: `function` bound this data to this very instance of `enter`, and its finalizer has not run: the function lives.
    let bound = unsafe { &*data.cast::<Bound<T, R, N>>() };
    let mut values = [0u32; N];
    for (value, argument) in values.iter_mut().zip(arguments) {
        // SAFETY: missing arguments are `undefined`, which is refused and leaves the 0.
        unsafe { sys::napi_get_value_uint32(env, argument, value) };
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| match bound.state.try_borrow_mut() {
        Ok(mut state) => (bound.call)(&mut state, values).map(R::number),
        Err(_) => Err(Box::new(Error::from_reason("called from within itself"))),
    }));
    match outcome {
        Ok(Ok(None)) => null_mut(),
        Ok(Ok(Some(value))) => {
            let mut result = null_mut();
            // SAFETY: `result` is a local.
            unsafe { sys::napi_create_uint32(env, value, &mut result) };
            result
        }
        Ok(Err(error)) => throw(env, &error.reason),
        Err(_) => throw(env, "native code panicked: a bug of ours"),
    }
}

#[cold]
fn throw(env: sys::napi_env, reason: &str) -> sys::napi_value {
    let text = CString::new(reason.replace('\0', " ")).unwrap_or_default();
    let none: *const c_char = std::ptr::null();
    // SAFETY: the text ends with a zero and is copied during the call.
    unsafe { sys::napi_throw_error(env, none, text.as_ptr()) };
    null_mut()
}

unsafe extern "C" fn leave<T, R, const N: usize>(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: `function` made this box for this instance, and a finalizer runs once.
    drop(unsafe { Box::from_raw(data.cast::<Bound<T, R, N>>()) });
}
