# awk -f banned.awk banned.txt FILE...: no banned function is called, and no
# secret is an argument of log_* or err_*. Comments and texts do not count.

function bad(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text
	status = 1
}

# The line without comments and without what stands between quotes.
function code(line,    out, c, two, i, n) {
	out = ""
	n = length(line)
	for (i = 1; i <= n; i++) {
		c = substr(line, i, 1)
		two = substr(line, i, 2)
		if (in_comment) {
			if (two == "*/") {
				in_comment = 0
				i++
			}
		} else if (quote != "") {
			if (c == "\\")
				i++
			else if (c == quote)
				quote = ""
		} else if (two == "/*") {
			in_comment = 1
			i++
		} else if (two == "//") {
			break
		} else if (c == "\"" || c == "'") {
			quote = c
			out = out " "
		} else {
			out = out c
		}
	}
	quote = ""
	return out
}

FILENAME ~ /banned\.txt$/ {
	if ($0 !~ /^#/ && NF > 0)
		banned[$1] = 1
	next
}

FNR == 1 {
	in_comment = 0
	statement = ""
}

{
	line = code($0)
	rest = line
	while (match(rest, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
		name = substr(rest, RSTART, RLENGTH)
		sub(/[ \t]*\(/, "", name)
		if (name in banned)
			bad(name "() is banned")
		rest = substr(rest, RSTART + RLENGTH)
	}
	if (line ~ /^[ \t]*#/)
		next
	# where the configuration says that it comes from is no secret
	gsub(/secret\.(file|command|credential)/, "", line)
	statement = statement " " line
	if (statement ~ /(log_(error|warning|notice|info|debug)|err_(set|prefix))[ \t]*\(.*secret[^;]*;/)
		bad("a secret is an argument of a log or error text")
	if (line ~ /[;{}]/)
		statement = ""
}

END {
	exit status
}
