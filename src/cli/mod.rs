//! (to be written)
pub mod seeds;
pub mod users;

pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
