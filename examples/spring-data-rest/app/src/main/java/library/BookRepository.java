package library;

import org.springframework.data.domain.Page;
import org.springframework.data.domain.Pageable;
import org.springframework.data.jpa.repository.JpaRepository;
import org.springframework.data.repository.query.Param;

public interface BookRepository extends JpaRepository<Book, String> {

	Page<Book> findByAuthor(@Param("author") String author, Pageable pageable);

	Page<Book> findByTitleContainingIgnoreCase(@Param("title") String title, Pageable pageable);

	long countByAvailable(@Param("available") boolean available);
}
