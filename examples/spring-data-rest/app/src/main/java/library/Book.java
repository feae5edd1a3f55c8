package library;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.Version;

@Entity
public class Book {

	@Id
	private String id;
	@Version
	private Long version;
	@Column(nullable = false)
	private String title;
	private String author;
	private Integer published;
	private double price;
	private boolean available;

	@ManyToOne
	private Branch branch;

	public String getId() { return id; }
	public void setId(String id) { this.id = id; }
	public String getTitle() { return title; }
	public void setTitle(String title) { this.title = title; }
	public String getAuthor() { return author; }
	public void setAuthor(String author) { this.author = author; }
	public Integer getPublished() { return published; }
	public void setPublished(Integer published) { this.published = published; }
	public double getPrice() { return price; }
	public void setPrice(double price) { this.price = price; }
	public boolean isAvailable() { return available; }
	public void setAvailable(boolean available) { this.available = available; }
	public Branch getBranch() { return branch; }
	public void setBranch(Branch branch) { this.branch = branch; }
}
