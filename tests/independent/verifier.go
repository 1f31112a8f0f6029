// SPDX-License-Identifier: Apache-2.0

// A second opinion on a published log, by code that no one here wrote: golang.org/x/mod/sumdb's signed notes and tile
// trees (Debian: golang-golang-x-mod-dev). This program only finds files and hands their bytes over. It opens the
// checkpoint, authenticates every tile, hashes every entry of every bundle, and checks a proof for each entry, for each
// older size, and in each receipt. One line for each thing that holds; exit 1 and the first that does not.
//
//	verifier VKEY LOG-FOLDER [RECEIPT ...]
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // of a tile: 256 hashes

func must(err error, what string, arguments ...any) {
	if err == nil {
		return
	}
	fmt.Printf("FAIL %s: %v\n", fmt.Sprintf(what, arguments...), err)
	os.Exit(1)
}

func require(holds bool, what string, arguments ...any) {
	if !holds {
		must(fmt.Errorf("it does not hold"), what, arguments...)
	}
}

// Three lines: origin, size, root. (The package's own ParseTree expects another first line.)
func treeOf(signed []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not the three lines of this log's checkpoint: %q", opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("not a size: %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// Tiles out of a folder. The package names them tile/<height>/<level>/<number>; here the height is left out.
type folder string

func (f folder) Height() int { return height }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		name := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), name))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// The entries of all bundles: each a length of two bytes and the entry.
func entriesOf(f folder, size int64) ([][]byte, error) {
	var entries [][]byte
	for number := int64(0); number<<height < size; number++ {
		width := size - number<<height
		if width > 1<<height {
			width = 1 << height
		}
		path := tlog.Tile{H: height, L: 0, N: number, W: int(width)}.Path()
		name := strings.Replace(path, fmt.Sprintf("tile/%d/0/", height), "tile/entries/", 1)
		rest, err := os.ReadFile(filepath.Join(string(f), name))
		if err != nil {
			return nil, err
		}
		for i := int64(0); i < width; i++ {
			if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
				return nil, fmt.Errorf("%s ends within entry %d", name, number<<height+i)
			}
			end := 2 + int(binary.BigEndian.Uint16(rest))
			entries = append(entries, rest[2:end])
			rest = rest[end:]
		}
		if len(rest) != 0 {
			return nil, fmt.Errorf("%s has bytes after its last entry", name)
		}
	}
	return entries, nil
}

// All hashes of a tree, made from its entries alone.
func hashesOf(entries [][]byte) (tlog.HashReaderFunc, error) {
	var stored []tlog.Hash
	reader := func(indexes []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, index := range indexes {
			if index >= int64(len(stored)) {
				return nil, fmt.Errorf("no hash %d", index)
			}
			hashes = append(hashes, stored[index])
		}
		return hashes, nil
	}
	for i, entry := range entries {
		more, err := tlog.StoredHashes(int64(i), entry, tlog.HashReaderFunc(reader))
		if err != nil {
			return nil, err
		}
		stored = append(stored, more...)
	}
	return reader, nil
}

// ---- receipts

type lines struct{ rest string }

func (l *lines) next(prefix string) (string, error) {
	line, rest, found := strings.Cut(l.rest, "\n")
	if !found || !strings.HasPrefix(line, prefix) {
		return "", fmt.Errorf("not a line %q: %q", prefix, line)
	}
	l.rest = rest
	return strings.TrimPrefix(line, prefix), nil
}

func (l *lines) hashes() ([]tlog.Hash, error) {
	var all []tlog.Hash
	for {
		line, err := l.next("")
		if err != nil || line == "" {
			return all, err
		}
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		all = append(all, hash)
	}
}

func (l *lines) numbers(prefix string, count int) ([]int64, error) {
	line, err := l.next(prefix)
	if err != nil {
		return nil, err
	}
	var all []int64
	for _, word := range strings.Split(line, " ") {
		number, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return nil, err
		}
		all = append(all, number)
	}
	if len(all) != count {
		return nil, fmt.Errorf("%d numbers: %q", len(all), line)
	}
	return all, nil
}

// A tlog-proof of the release; the rest of the evidence, which holds the charge and its own proof, is in the extra line.
func checkReceipt(path string, verifier note.Verifier) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	outer := lines{string(data)}
	if _, err = outer.next("c2sp.org/tlog-proof@v1"); err != nil {
		return err
	}
	extra, err := outer.next("extra ")
	if err != nil {
		return err
	}
	index, err := outer.numbers("index ", 1)
	if err != nil {
		return err
	}
	proof, err := outer.hashes()
	if err != nil {
		return err
	}
	tree, err := treeOf([]byte(outer.rest), verifier)
	if err != nil {
		return err
	}
	evidence, err := base64.StdEncoding.Strict().DecodeString(extra)
	if err != nil {
		return err
	}
	inner := lines{string(evidence)}
	if _, err = inner.next("godwit/1 evidence"); err != nil {
		return err
	}
	if _, err = inner.next("salt "); err != nil {
		return err
	}
	release, err := inner.numbers("release ", 1)
	if err != nil {
		return err
	}
	charge, err := inner.numbers("charge ", 2)
	if err != nil {
		return err
	}
	if _, err = inner.numbers("proof ", 1); err != nil {
		return err
	}
	chargeProof, err := inner.hashes()
	if err != nil {
		return err
	}
	if int64(len(inner.rest)) != release[0]+charge[1] {
		return fmt.Errorf("%d bytes of entries", len(inner.rest))
	}
	releaseHash := tlog.RecordHash([]byte(inner.rest[:release[0]]))
	chargeHash := tlog.RecordHash([]byte(inner.rest[release[0]:]))
	if err = tlog.CheckRecord(proof, tree.N, tree.Hash, index[0], releaseHash); err != nil {
		return err
	}
	return tlog.CheckRecord(chargeProof, tree.N, tree.Hash, charge[0], chargeHash)
}

func main() {
	if len(os.Args) < 3 {
		fmt.Println("usage: verifier VKEY LOG-FOLDER [RECEIPT ...]")
		os.Exit(2)
	}
	verifier, err := note.NewVerifier(os.Args[1])
	must(err, "the log's key")
	log := folder(os.Args[2])

	signed, err := os.ReadFile(filepath.Join(string(log), "checkpoint"))
	must(err, "the checkpoint")
	tree, err := treeOf(signed, verifier)
	must(err, "the checkpoint")
	fmt.Printf("ok checkpoint of %s, %d entries\n", verifier.Name(), tree.N)

	tiles := tlog.TileHashReader(tree, log)
	root, err := tlog.TreeHash(tree.N, tiles)
	must(err, "the tree's hash out of its tiles")
	require(root == tree.Hash, "the tree's hash out of its tiles")
	fmt.Println("ok root out of the tiles")

	entries, err := entriesOf(log, tree.N)
	must(err, "the entries")
	hashes, err := hashesOf(entries)
	must(err, "the entries' hashes")
	root, err = tlog.TreeHash(tree.N, hashes)
	must(err, "the tree's hash out of its entries")
	require(root == tree.Hash, "the tree's hash out of its entries")
	fmt.Println("ok root out of the entries")

	for n, entry := range entries {
		proof, err := tlog.ProveRecord(tree.N, int64(n), tiles)
		must(err, "entry %d", n)
		must(tlog.CheckRecord(proof, tree.N, tree.Hash, int64(n), tlog.RecordHash(entry)), "entry %d", n)
	}
	fmt.Printf("ok %d entries are in the tree\n", len(entries))

	for n := int64(1); n <= tree.N; n++ {
		older, err := tlog.TreeHash(n, hashes)
		must(err, "the tree of size %d", n)
		proof, err := tlog.ProveTree(tree.N, n, tiles)
		must(err, "the tree of size %d", n)
		must(tlog.CheckTree(proof, tree.N, tree.Hash, n, older), "the tree of size %d", n)
	}
	fmt.Printf("ok %d older trees are its beginning\n", tree.N)

	// Every hash of every tile, whether a proof needed it or not.
	for level := 0; tree.N>>(height*level) > 0; level++ {
		count := tree.N >> (height * level)
		for number := int64(0); number<<height < count; number++ {
			width := count - number<<height
			if width > 1<<height {
				width = 1 << height
			}
			tile := tlog.Tile{H: height, L: level, N: number, W: int(width)}
			published, err := log.ReadTiles([]tlog.Tile{tile})
			must(err, "a tile")
			computed, err := tlog.ReadTileData(tile, hashes)
			must(err, "a tile")
			require(bytes.Equal(published[0], computed), "tile %s", tile.Path())
		}
	}
	fmt.Println("ok every tile follows from the entries")

	for _, path := range os.Args[3:] {
		must(checkReceipt(path, verifier), "receipt %s", path)
		fmt.Printf("ok receipt %s\n", filepath.Base(path))
	}
}
