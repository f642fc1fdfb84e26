package train

import (
	"fmt"
	"os"
	"sync"

	"trilobite/tensor"
)

// cache keeps the rows of samples: in memory while there is room, then in a file, then
// not at all. It is safe for concurrent use.
type cache struct {
	memory, disk int64 // bytes that are left
	dir          string

	mu   sync.Mutex
	rows map[key][]*tensor.Tensor
	file *os.File // made when it is first needed; it has no name
	at   map[key]int64
	end  int64
	like []*tensor.Tensor // types and shapes of any row in the file
}

type key struct {
	validation      bool
	sample, variant int
}

func newCache(dir string, memory, disk int64) *cache {
	if dir == "" {
		disk = 0
	}
	return &cache{memory: memory, disk: disk, dir: dir, rows: map[key][]*tensor.Tensor{}, at: map[key]int64{}}
}

// get returns what was put, or nil. The tensors are shared: they are read only.
func (c *cache) get(k key) ([]*tensor.Tensor, error) {
	c.mu.Lock()
	rows, at, ok := c.rows[k], int64(0), false
	if rows == nil {
		at, ok = c.at[k]
	}
	c.mu.Unlock()
	if !ok {
		return rows, nil
	}
	for _, like := range c.like {
		data := make([]byte, size(like))
		if _, err := c.file.ReadAt(data, at); err != nil {
			return nil, fmt.Errorf("reading cached features: %w", err)
		}
		at += int64(len(data))
		t, err := tensor.FromBytes(like.DType, like.Shape, data)
		if err != nil {
			return nil, err
		}
		rows = append(rows, t)
	}
	return rows, nil
}

func size(t *tensor.Tensor) int64 { return t.Len() * int64(t.DType.Size()) }

// put keeps rows, if there is room for them. A disk that is full is no room.
func (c *cache) put(k key, rows []*tensor.Tensor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	need := int64(0)
	for _, t := range rows {
		need += size(t)
	}
	switch {
	case need <= c.memory:
		c.memory -= need
		c.rows[k] = rows
	case need <= c.disk && c.write(k, rows) == nil:
		c.disk -= need
	default:
		c.disk = min(c.disk, need-1) // it has failed once; what is there stays
	}
}

func (c *cache) write(k key, rows []*tensor.Tensor) error {
	if c.file == nil {
		f, err := os.CreateTemp(c.dir, ".features-")
		if err != nil {
			return err
		}
		if err := os.Remove(f.Name()); err != nil { // gone with the process, however it ends
			return err
		}
		c.file, c.like = f, rows
	}
	start := c.end
	for i, t := range rows {
		if like := c.like[i]; like.DType != t.DType || size(like) != size(t) {
			return fmt.Errorf("features of %v beside %v", t.Shape, like.Shape)
		}
		data, err := t.Bytes()
		if err != nil {
			return err
		}
		if _, err := c.file.WriteAt(data, c.end); err != nil {
			c.end = start
			return err
		}
		c.end += int64(len(data))
	}
	c.at[k] = start
	return nil
}

func (c *cache) close() {
	if c.file != nil {
		_ = c.file.Close()
	}
}
