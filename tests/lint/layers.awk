# awk -f layers.awk layers.txt src/room/file.[ch]...: an include may only point
# to the file's own room and to those listed for it ("room/file.h": that header
# alone); libraries may only be seen where they are hidden. main.c sees all.

function bad(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text
	status = 1
}

BEGIN {
	# header prefix -> the only files that may see it (a prefix too)
	home["event2/"] = "src/io/"
	home["event.h"] = "nowhere"
	home["openssl/"] = "src/io/"
	home["confuse.h"] = "src/conf/"
	home["sqlite3.h"] = "src/ledger/"
	home["gsasl.h"] = "src/proto/sasl.c"
	home["nettle/"] = "src/proto/"
	home["curl/"] = "src/io/"
	home["expat.h"] = "src/proto/"
	home["qrencode.h"] = "src/proc/"
}

FILENAME ~ /layers\.txt$/ {
	if ($0 ~ /^#/ || NF == 0)
		next
	known[$1] = 1
	for (i = 2; i <= NF; i++)
		edge[$1, $i] = 1
	next
}

FNR == 1 {
	n = split(FILENAME, part, "/")
	room = n == 3 ? part[2] : ""
	if (room != "" && !(room in known))
		bad("room \"" room "\" is not in layers.txt")
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, word, "\"")
	to = word[2]
	if (to !~ /^[a-z0-9]+\/[a-z0-9_]+\.h$/) {
		bad("\"" to "\" is not of the form \"room/file.h\"")
		next
	}
	split(to, part, "/")
	if (room != "" && part[1] != room && !((room, part[1]) in edge) &&
	    !((room, to) in edge))
		bad(room " may not include \"" to "\"")
}

/^[ \t]*#[ \t]*include[ \t]*</ {
	split($0, word, /[<>]/)
	for (h in home)
		if (index(word[2], h) == 1 && index(FILENAME, home[h]) != 1)
			bad("<" word[2] "> belongs to " home[h])
}

END {
	exit status
}
