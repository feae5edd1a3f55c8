package library;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.OneToMany;
import java.util.List;

@Entity
public class Branch {

	@Id
	private String id;
	private String name;
	private String city;
	private int opened;

	@OneToMany(mappedBy = "branch")
	private List<Book> books;

	public String getId() { return id; }
	public void setId(String id) { this.id = id; }
	public String getName() { return name; }
	public void setName(String name) { this.name = name; }
	public String getCity() { return city; }
	public void setCity(String city) { this.city = city; }
	public int getOpened() { return opened; }
	public void setOpened(int opened) { this.opened = opened; }
	public List<Book> getBooks() { return books; }
}
