// Verifies an export with Go's own libraries for transparency logs, and nothing of Interlock: that the checkpoint is
// signed under a key of the file verifier-key, that the tiles lead to its root, that each entry is the leaf it should
// be, with a proof, and that the tree grew from an older checkpoint where one is given.
//
//	go run verify-export.go DIRECTORY [OLD-CHECKPOINT]
package main

import (
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

const tileHeight = 8
const tileWidth = 1 << tileHeight

// tiles reads tiles from the directory of an export; C2SP leaves the height out of their paths.
type tiles struct{ directory string }

func (t tiles) Height() int { return tileHeight }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(wanted))
	for i, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.directory, path))
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("expected a directory"))
	}
	directory := os.Args[1]
	keys := verifiers(filepath.Join(directory, "verifier-key"))
	tree := checkpoint(filepath.Join(directory, "checkpoint"), keys)
	reader := tlog.TileHashReader(tree, tiles{directory})
	root, err := tlog.TreeHash(tree.N, reader)
	check(err)
	if root != tree.Hash {
		fail(fmt.Errorf("the tiles lead to the root %v, signed is %v", root, tree.Hash))
	}
	for first := int64(0); first < tree.N; first += tileWidth {
		for i, entry := range entries(directory, first, tree.N) {
			proof, err := tlog.ProveRecord(tree.N, first+int64(i), reader)
			check(err)
			check(tlog.CheckRecord(proof, tree.N, tree.Hash, first+int64(i), tlog.RecordHash(entry)))
		}
	}
	if len(os.Args) > 2 {
		old := checkpoint(os.Args[2], keys)
		proof, err := tlog.ProveTree(tree.N, old.N, reader)
		check(err)
		check(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
	}
	fmt.Printf("%d %v\n", tree.N, tree.Hash)
}

// verifiers are the keys in the file, one a line.
func verifiers(path string) note.Verifiers {
	text, err := os.ReadFile(path)
	check(err)
	var list []note.Verifier
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		verifier, err := note.NewVerifier(line)
		check(err)
		list = append(list, verifier)
	}
	return note.VerifierList(list...)
}

// checkpoint is the tree that the note signs: origin, size and root, a line each.
func checkpoint(path string, keys note.Verifiers) tlog.Tree {
	text, err := os.ReadFile(path)
	check(err)
	signed, err := note.Open(text, keys)
	check(err)
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 {
		fail(fmt.Errorf("expected a checkpoint of three lines, got %q", signed.Text))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	tree := tlog.Tree{N: size}
	if copy(tree.Hash[:], root) != tlog.HashSize {
		fail(fmt.Errorf("expected a root of %d bytes", tlog.HashSize))
	}
	return tree
}

// entries are those of the bundle that begins with entry first: each after its length in two bytes.
func entries(directory string, first, size int64) [][]byte {
	width := size - first
	if width > tileWidth {
		width = tileWidth
	}
	tile := tlog.Tile{H: tileHeight, L: 0, N: first / tileWidth, W: int(width)}
	path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
	data, err := os.ReadFile(filepath.Join(directory, path))
	check(err)
	var found [][]byte
	for len(data) >= 2 {
		end := 2 + int(binary.BigEndian.Uint16(data))
		if end > len(data) {
			fail(fmt.Errorf("%s ends in the middle of an entry", path))
		}
		found = append(found, data[2:end])
		data = data[end:]
	}
	if int64(len(found)) != width || len(data) != 0 {
		fail(fmt.Errorf("expected %d entries in %s, got %d", width, path, len(found)))
	}
	return found
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
