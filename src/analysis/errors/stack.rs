//! Stack traces of Python, Java, JavaScript, Go, .NET, Rust and their like, read line by line.

/// Lines of a stack trace that are read: what is beyond is counted.
const MAX_LINES: usize = 4_096;

/// A stack trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// Its frames, where it happened first.
    pub frames: Vec<Frame>,
    /// Its lines, if none of them reads as a frame.
    pub unread: Vec<String>,
}

/// One frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The function or method; empty where it is not named.
    pub function: String,
    /// The file or class as written; empty where it is not named.
    pub file: String,
    /// The line in it.
    pub line: Option<u32>,
    /// What stands in that line, where the trace says so (Python).
    pub code: String,
    /// It is the application's, not that of a library or of the language's runtime.
    pub own: bool,
}

impl Frame {
    /// File and function without the way to them and without the line, which moves with every edit: `users.py get_user`. Where
    /// no function is named the line stands for it.
    #[must_use]
    pub fn place(&self) -> String {
        let file = self.file.rsplit(['/', '\\']).next().unwrap_or_default();
        if let Some(line) = self.line.filter(|_| self.function.is_empty()) {
            return format!("{file}:{line}");
        }
        let function = short_function(&self.function);
        [file, function].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// `com.example.Orders.load` as `Orders.load`, Go's `github.com/a/b/pkg.(*T).Do` as `pkg.(*T).Do`.
fn short_function(function: &str) -> &str {
    let last = function.rsplit('/').next().unwrap_or(function);
    if last.contains("::") || last.contains('(') {
        return last;
    }
    let mut marks = last.rmatch_indices('.');
    let before = marks.nth(1).map(|(at, _)| at + 1);
    before.and_then(|at| last.get(at..)).unwrap_or(last)
}

impl Stack {
    /// Reads `text`. Never fails: lines that are no frames are left out, and where none is one they are all kept.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut frames: Vec<Frame> = Vec::new();
        let (mut oldest_first, mut pending) = (false, None::<String>);
        for line in text.lines().take(MAX_LINES) {
            let line = line.trim_start_matches([' ', '\t', '|', '+']).trim_end();
            let frame = python(line).inspect(|_| oldest_first = true).or_else(|| one_line(line));
            if let Some(mut frame) = frame {
                // Rust names the function in the line before.
                let before = pending.take().filter(|_| frame.function.is_empty());
                frame.function = before.unwrap_or(frame.function);
                frames.push(frame);
                continue;
            }
            if let Some((file, line)) = located(line) {
                // So does Go.
                let function = pending.take().unwrap_or_default();
                frames.push(Frame { function, file: file.to_owned(), line: Some(line), ..Frame::default() });
                continue;
            }
            let is_heading = oldest_first && (line.starts_with("Traceback") || line.is_empty());
            match frames.last_mut() {
                Some(last) if oldest_first && last.code.is_empty() && !is_heading && is_code(line, last) => {
                    line.clone_into(&mut last.code);
                }
                _ => pending = function_alone(line).map(str::to_owned),
            }
        }
        if frames.is_empty() {
            return Self { frames, unread: text.lines().take(MAX_LINES).map(str::to_owned).collect() };
        }
        if oldest_first {
            frames.reverse();
        }
        for frame in &mut frames {
            frame.own = !super::library::is_library(&frame.function, &frame.file);
        }
        Self { frames, unread: Vec::new() }
    }

    /// The frame of the application nearest to where it happened.
    #[must_use]
    pub fn origin(&self) -> Option<&Frame> {
        self.frames.iter().find(|frame| frame.own)
    }
}

/// Python's second line of a frame is its code; the line after the last frame is the exception itself.
fn is_code(line: &str, frame: &Frame) -> bool {
    let mut name = line.split(':').next().unwrap_or_default().chars();
    let is_exception =
        line.contains(": ") && name.all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '_'));
    let marks = line.bytes().all(|byte| matches!(byte, b'^' | b'~' | b' '));
    frame.line.is_some() && !marks && !(is_exception && line.contains("Error"))
}

/// `File "app/users.py", line 41, in get_user`
fn python(line: &str) -> Option<Frame> {
    let (file, rest) = line.strip_prefix("File \"")?.split_once("\", line ")?;
    let (number, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    Some(Frame { function: function.into(), file: file.into(), line: Some(number.parse().ok()?), ..Frame::default() })
}

/// Frames of Java, JavaScript, .NET and PHP.
fn one_line(line: &str) -> Option<Frame> {
    if let Some(rest) = line.strip_prefix("at ") {
        return Some(dot_net(rest).or_else(|| java_or_js(rest)).unwrap_or_else(|| bare(rest)));
    }
    php(line).or_else(|| firefox(line)).or_else(|| ruby(line))
}

fn bare(rest: &str) -> Frame {
    match place(rest) {
        Some((file, line)) => Frame { file: file.into(), line: Some(line), ..Frame::default() },
        None => Frame { function: rest.into(), ..Frame::default() },
    }
}

/// `Shop.Orders.Load(Int32 id) in /src/Orders.cs:line 12`
fn dot_net(rest: &str) -> Option<Frame> {
    let (call, place) = rest.rsplit_once(" in ")?;
    let (file, line) = place.rsplit_once(":line ")?;
    let function = call.split('(').next().unwrap_or(call);
    Some(Frame { function: function.into(), file: file.into(), line: line.trim().parse().ok(), ..Frame::default() })
}

/// `com.example.Orders.load(Orders.java:12)`, `async load (/srv/app/orders.js:12:7)`
fn java_or_js(rest: &str) -> Option<Frame> {
    let (call, inner) = rest.strip_suffix(')')?.rsplit_once('(')?;
    let call = call.trim().trim_start_matches("async ").trim_start_matches("new ");
    let call = call.rsplit_once("//").map_or(call, |(_, call)| call);
    let (file, line) = place(inner).map_or((inner, None), |(file, line)| (file, Some(line)));
    Some(Frame { function: call.into(), file: file.into(), line, ..Frame::default() })
}

/// `#0 /srv/app/Orders.php(12): Orders->load(1)`
fn php(line: &str) -> Option<Frame> {
    let (number, rest) = line.strip_prefix('#')?.split_once(' ')?;
    number.parse::<u32>().ok()?;
    let (place, function) = rest.split_once("): ")?;
    let (file, line) = place.rsplit_once('(')?;
    let function = function.split('(').next().unwrap_or(function);
    Some(Frame { function: function.into(), file: file.into(), line: Some(line.parse().ok()?), ..Frame::default() })
}

/// `load@http://localhost:3000/app.js:12:7`
fn firefox(line: &str) -> Option<Frame> {
    let (function, rest) = line.split_once('@').filter(|(function, _)| !function.starts_with('/'))?;
    let (file, line) = place(rest).filter(|(file, _)| file.contains('/'))?;
    let named =
        function.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '$' | '/' | '<' | '*'));
    named.then(|| Frame { function: function.into(), file: file.into(), line: Some(line), ..Frame::default() })
}

/// ``app/orders.rb:12:in `load'``
fn ruby(line: &str) -> Option<Frame> {
    let (before, function) = line.trim_start_matches("from ").split_once(":in ")?;
    let (file, line) = before.rsplit_once(':')?;
    let function = function.trim_matches(['`', '\'', '"']);
    Some(Frame { function: function.into(), file: file.into(), line: Some(line.parse().ok()?), ..Frame::default() })
}

/// The line of a frame that says only where: `/srv/shop/orders.go:12 +0x1d`, `at ./src/orders.rs:12:7`.
fn located(line: &str) -> Option<(&str, u32)> {
    let line = line.strip_prefix("at ").unwrap_or(line);
    let line = line.rsplit_once(" +0x").map_or(line, |(before, _)| before);
    let (file, number) = place(line)?;
    let known = [".go", ".rs", ".s", ".c", ".cc", ".cpp", ".swift", ".ex", ".exs", ".erl", ".dart"];
    (known.iter().any(|end| file.ends_with(end)) && !file.contains(' ')).then_some((file, number))
}

/// The line of a frame that says only what: `main.(*Shop).load(0xc000, 0x1)`, `4: shop::orders::load`.
fn function_alone(line: &str) -> Option<&str> {
    if let Some((number, function)) = line.split_once(": ")
        && number.parse::<u32>().is_ok()
    {
        return Some(function);
    }
    if let Some(call) = line.strip_prefix("created by ") {
        return Some(call.split(" in goroutine").next().unwrap_or(call));
    }
    let (function, arguments) = line.rsplit_once('(').filter(|_| line.ends_with(')'))?;
    // Of a method with a receiver the last parenthesis is that of the arguments.
    let plain = !function.contains(' ') && function.contains('.');
    (plain && !arguments.contains('\'')).then_some(function)
}

/// File and line of `file:12` and `file:12:7`.
fn place(text: &str) -> Option<(&str, u32)> {
    let (rest, last) = text.rsplit_once(':')?;
    let last: u32 = last.parse().ok()?;
    match rest.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?))) {
        Some((file, line)) => Some((file, line)),
        None => Some((rest, last)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> (String, String, Option<u32>, String) {
        let stack = Stack::read(text);
        let frame = stack.origin().unwrap_or_else(|| panic!("no own frame in {stack:#?}"));
        (frame.function.clone(), frame.file.clone(), frame.line, frame.place())
    }

    #[test]
    fn the_applications_own_frame_is_found_in_every_language() {
        let python = "Traceback (most recent call last):\n  File \"/usr/lib/python3.12/site-packages/fastapi/x.py\", line 3, in run\n    await f()\n  File \"/srv/app/users.py\", line 41, in get_user\n    raise NotFound(id)\n          ^^^^\n  File \"/srv/venv/lib/python3.12/site-packages/sqlalchemy/y.py\", line 9, in go\napp.NotFound: x";
        let java = "java.lang.IllegalStateException: no\n\tat java.base/java.util.Optional.get(Optional.java:143)\n\tat app//com.example.Orders.load(Orders.java:12)\n\tat org.springframework.web.Servlet.go(Servlet.java:1)\nCaused by: x\n\t... 42 more";
        let js = "TypeError: x\n    at Object.get (/srv/node_modules/pg/lib/a.js:1:2)\n    at async loadRecipe (/srv/app/recipes.js:88:11)\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)";
        let go = "goroutine 18 [running]:\nruntime/debug.Stack()\n\t/usr/local/go/src/runtime/debug/stack.go:24 +0x5e\nmain.(*Shop).load(0xc0001, {0x1, 0x2})\n\t/srv/shop/orders.go:12 +0x1d\ncreated by net/http.(*Server).Serve in goroutine 1\n\t/usr/local/go/src/net/http/server.go:3086 +0x5cb";
        let net = "System.InvalidOperationException: no\n   at System.Linq.Enumerable.First()\n   at Shop.Orders.Load(Int32 id) in /src/Orders.cs:line 12\n   at Microsoft.AspNetCore.X.Y()";
        let rust = "   0: std::panicking::begin_panic\n             at /rustc/abc/library/std/src/panicking.rs:1:2\n   1: shop::orders::load\n             at ./src/orders.rs:12:7\n   2: tokio::runtime::x\n             at /root/.cargo/registry/src/tokio-1/src/lib.rs:1:1";
        let firefox = "load@http://localhost:3000/app.js:12:7\n";
        let ruby = "app/orders.rb:12:in `load'\n";
        let php = "#0 /srv/app/Orders.php(12): Orders->load(1)\n#1 {main}";
        let cases = [
            (python, "get_user", "/srv/app/users.py", 41, "users.py get_user"),
            (java, "com.example.Orders.load", "Orders.java", 12, "Orders.java Orders.load"),
            (js, "loadRecipe", "/srv/app/recipes.js", 88, "recipes.js loadRecipe"),
            (go, "main.(*Shop).load", "/srv/shop/orders.go", 12, "orders.go main.(*Shop).load"),
            (net, "Shop.Orders.Load", "/src/Orders.cs", 12, "Orders.cs Orders.Load"),
            (rust, "shop::orders::load", "./src/orders.rs", 12, "orders.rs shop::orders::load"),
            (firefox, "load", "http://localhost:3000/app.js", 12, "app.js load"),
            (ruby, "load", "app/orders.rb", 12, "orders.rb load"),
            (php, "Orders->load", "/srv/app/Orders.php", 12, "Orders.php Orders->load"),
        ];
        for (text, function, file, line, place) in cases {
            assert_eq!(first(text), (function.into(), file.into(), Some(line), place.into()));
        }
        let stack = Stack::read(python);
        assert_eq!(stack.frames.iter().map(|frame| frame.own).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(stack.frames[1].code, "raise NotFound(id)");
    }

    #[test]
    fn what_is_no_stack_is_kept_as_it_is() {
        let stack = Stack::read("it broke\nbadly");
        assert_eq!(
            (stack.frames.len(), stack.unread.as_slice()),
            (0, &["it broke".to_owned(), "badly".to_owned()][..])
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "(at |File \"|\", line |, in |\\PC|[():/.#@ \n0-9]){0,60}") {
            let _ = Stack::read(&text).origin().map(Frame::place);
        }
    }
}
