//! A picture in memory: colours, text, and how it becomes a PNG file.

use crate::maps::Colour;
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use std::io;
use std::path::Path;

/// Height of a line of text and width of a letter, in pixels.
pub const LINE: usize = RasterHeight::Size16.val();
pub const LETTER: usize = get_raster_width(FontWeight::Regular, RasterHeight::Size16);

const PAPER: u8 = 255;
const INK: u8 = 40;

/// Pixels, row after row, white at first.
pub struct Canvas {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Canvas {
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, bytes: vec![PAPER; 3 * width * height] }
    }

    /// Sets a pixel; what lies outside is left out.
    pub fn set(&mut self, x: usize, y: usize, colour: Colour) {
        if x < self.width && y < self.height {
            self.bytes[3 * (y * self.width + x)..][..3].copy_from_slice(&colour);
        }
    }

    /// Writes a line of ASCII from its upper left corner on.
    pub fn write(&mut self, x: usize, y: usize, text: &str) {
        for (index, letter) in text.chars().enumerate() {
            let raster = get_raster(letter, FontWeight::Regular, RasterHeight::Size16);
            for (dy, row) in raster.iter().flat_map(|raster| raster.rows().enumerate()) {
                for (dx, &cover) in row.iter().enumerate().filter(|(_, cover)| **cover > 0) {
                    let grey = PAPER - (u16::from(cover) * u16::from(PAPER - INK) / 255) as u8;
                    self.set(x + index * LETTER + dx, y + dy, [grey; 3]);
                }
            }
        }
    }

    /// Writes a PNG file: beside it first, so that a reader never finds half of one.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let mut png = Vec::new();
        let (width, height) = (self.width as u32, self.height as u32);
        let mut encoder = png::Encoder::new(&mut png, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        encoder.write_header()?.write_image_data(&self.bytes)?;
        let unfinished = path.with_extension("png.part");
        std::fs::write(&unfinished, png)?;
        std::fs::rename(&unfinished, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_what_was_drawn() {
        let mut canvas = Canvas::new(40, 20);
        canvas.set(3, 2, [1, 2, 3]);
        canvas.set(40, 0, [9, 9, 9]);
        canvas.write(8, 2, "Hi");
        let path = std::env::temp_dir().join(format!("awl-canvas-{}.png", std::process::id()));
        canvas.save(&path).unwrap();
        let file = io::BufReader::new(std::fs::File::open(&path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(bytes, canvas.bytes);
        assert_eq!(bytes[3 * (2 * 40 + 3)..][..3], [1, 2, 3]);
        let dark = |x: usize| (0..20).filter(|y| bytes[3 * (y * 40 + x)] < 128).count();
        assert!((8..16).map(dark).sum::<usize>() > 10, "the letter H has ink");
        assert_eq!((24..40).map(dark).sum::<usize>(), 0, "there is no third letter");
    }
}
